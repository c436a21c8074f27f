"""Requests that no browser sends: an answer each, and nothing in the log that frightens or tells a secret."""

import asyncio
import logging
import re

import httpx
import pytest

from server.web import bodies
from tests.conftest import Site
from tests.engines import on_sqlite

pytestmark = on_sqlite

TOKEN = "s3cr3t-t0ken"
LINK = f"/login/link/{TOKEN}"
UNREADABLE = [
    "/?x=\x1f",
    "http://[::1/",
    f"http://[::1{LINK}",
    f"{LINK}\x7f?x=\x1f",
    f"http://host:99999999{LINK}",
    f"\xff{LINK}",
    LINK.removeprefix("/"),
    f"{LINK} and a blank",
    "host:443",
    "?",
]


async def ask(site: Site, target: str, body: str = "", method: str = "GET") -> list[int]:
    """The statuses of this request and of a good one that follows on the same connection."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Accept-Language: en"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    first = "\r\n".join([*lines, "", body])
    good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(site.url).port)
    writer.write((first + good).encode("latin-1"))
    async with asyncio.timeout(10):
        answered = (await reader.read()).decode()
    writer.close()
    return [int(status) for status in re.findall(r"HTTP/1\.1 (\d+) ", answered)]


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("target", UNREADABLE)
async def test_a_target_that_cannot_be_read_is_answered_400_in_one_line_without_its_secret(
    site: Site, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    caplog.set_level(logging.INFO, "playbill")

    answered = await ask(site, target)

    assert answered == [400]
    assert complaints(caplog) == []
    assert [one.getMessage() for one in caplog.records if one.name == "playbill"] == [
        "a request could not be read: 400"
    ]
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_body_that_comes_with_a_get_is_read_and_logs_nothing(
    site: Site, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    assert await ask(site, "/terms", "x", method) == [200, 200]
    assert await ask(site, "/static/css/base.css", "x", method) == [200, 200]
    assert await ask(site, "/terms", "x" * (bodies.MAX_BYTES + 1), method) == [413, 200]

    assert complaints(caplog) == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "nope.css",
            "css",
            "css/",
            "css/base.css/x",
            "../setup.cfg",
            "css/../css/base.css",
            "..%2fsetup.cfg",
        ),
        *("%2e%2e/setup.cfg", "/etc/passwd", "%00", ".hidden", "x" * 3000, "css\\base.css"),
    ],
)
async def test_a_static_file_that_is_not_there_logs_nothing(
    site: Site, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    assert await ask(site, f"/static/{name}") == [404, 200]

    assert complaints(caplog) == []
