import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import wait_for
from tests.http import async_client
from tests.ports import free_port

from .support import (
    CHANNEL_KEY,
    CUSTOM_KEY,
    SECOND_CUSTOM_KEY,
    SECURITY_KEY,
    SERVICE_ACCOUNT_KEY,
    Site,
    StandIn,
)

ROOT = Path(__file__).parents[3]
MEDIA = ROOT / "server" / "sandbox" / "media"


@pytest.fixture(scope="session")
def kollus_port() -> Iterator[int]:
    """The stand-in as a process of its own, for all tests of this folder."""
    port = free_port()
    keys = ["--security-key", SECURITY_KEY, "--custom-key", CUSTOM_KEY, "--custom-key", SECOND_CUSTOM_KEY]
    account = [
        "--service-account-key",
        SERVICE_ACCOUNT_KEY,
        "--channel-key",
        CHANNEL_KEY,
        "--api-token",
        "token",
    ]
    command = [sys.executable, "-W", "error", "-m", "server.sandbox.kollus", "--port", str(port)]
    with subprocess.Popen([*command, *keys, *account, "--media", str(MEDIA)], cwd=ROOT) as process:
        wait_for([f"http://127.0.0.1:{port}/_sandbox/healthz"])
        yield port
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.open()
    yield site
    await site.close()


@pytest_asyncio.fixture
async def kollus(kollus_port: int, site: Site) -> AsyncIterator[StandIn]:
    """The stand-in, fresh, with its callbacks pointed at the site."""
    contents = {row["media_content_key"]: row for row in json.loads((MEDIA / "contents.json").read_text())}
    async with async_client(base_url=f"http://127.0.0.1:{kollus_port}") as http:
        stand_in = StandIn(http, contents)
        assert (await http.post("/_sandbox/reset")).status_code == 200
        await stand_in.settings(play_callback_url=f"{site.url}/play", lms_url=site.lms_url)
        yield stand_in
