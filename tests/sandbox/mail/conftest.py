import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from .support import MailSink, free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def sink_ports() -> Iterator[tuple[int, int]]:
    """The sink as a process of its own: ports of its page and of SMTP."""
    port, smtp_port = free_port(), free_port()
    command = [sys.executable, "-W", "error", "-m", "server.sandbox.mail"]
    with subprocess.Popen(
        [*command, "--port", str(port), "--smtp-port", str(smtp_port)], cwd=ROOT
    ) as process:
        _wait_until_healthy(port, process)
        yield port, smtp_port
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
    pytest.fail("the sink did not start")


@pytest_asyncio.fixture
async def sink(sink_ports: tuple[int, int]) -> AsyncIterator[MailSink]:
    port, smtp_port = sink_ports
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        assert (await http.post("/_sandbox/reset")).status_code == 200
        yield MailSink(http, smtp_port)
