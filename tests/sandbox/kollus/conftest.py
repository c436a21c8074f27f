import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from .support import (
    CHANNEL_KEY,
    CUSTOM_KEY,
    SECOND_CUSTOM_KEY,
    SECURITY_KEY,
    SERVICE_ACCOUNT_KEY,
    Site,
    StandIn,
    free_port,
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
        _wait_until_healthy(port, process)
        yield port
        process.terminate()
        assert process.wait(timeout=10) == 0


def _wait_until_healthy(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/_sandbox/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the stand-in did not start")


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.open()
    yield site
    await site.close()


@pytest_asyncio.fixture(loop_scope="module")
async def kollus(kollus_port: int, site: Site) -> AsyncIterator[StandIn]:
    """The stand-in, fresh, with its callbacks pointed at the site."""
    contents = {row["media_content_key"]: row for row in json.loads((MEDIA / "contents.json").read_text())}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{kollus_port}", trust_env=False) as http:
        stand_in = StandIn(http, contents)
        assert (await http.post("/_sandbox/reset")).status_code == 200
        await stand_in.settings(play_callback_url=f"{site.url}/play", lms_url=site.lms_url)
        yield stand_in
