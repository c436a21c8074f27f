import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import wait_for
from tests.http import async_client
from tests.ports import free_port

from .support import MailSink

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def sink_ports() -> Iterator[tuple[int, int]]:
    """The sink as a process of its own: ports of its page and of SMTP."""
    port, smtp_port = free_port(), free_port()
    command = [sys.executable, "-W", "error", "-m", "server.sandbox.mail"]
    with subprocess.Popen(
        [*command, "--port", str(port), "--smtp-port", str(smtp_port)], cwd=ROOT
    ) as process:
        wait_for([f"http://127.0.0.1:{port}/_sandbox/healthz"])
        yield port, smtp_port
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest_asyncio.fixture
async def sink(sink_ports: tuple[int, int]) -> AsyncIterator[MailSink]:
    port, smtp_port = sink_ports
    async with async_client(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.post("/_sandbox/reset")).status_code == 200
        yield MailSink(http, smtp_port)
