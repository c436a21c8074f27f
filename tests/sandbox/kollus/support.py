"""A site as Kollus sees one: signs player URLs, answers play callbacks, receives progress reports."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx

from tests.ports import free_port

SECURITY_KEY = "short-key"  # nine bytes: real accounts have such keys
CUSTOM_KEY = "0f" * 32
SECOND_CUSTOM_KEY = "a1" * 32
SERVICE_ACCOUNT_KEY = "house"
CHANNEL_KEY = "ch4nn3l0"


async def until(claim: Callable[[], bool | Awaitable[bool]], deadline_s: float = 10.0) -> None:
    """Wait until `claim` is true; fail when it has not become so."""
    end = time.monotonic() + deadline_s
    while not (await answer if isinstance(answer := claim(), Awaitable) else answer):
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(payload: object, key: str = SECURITY_KEY, header: str = '{"alg":"HS256","typ":"JWT"}') -> str:
    body = payload if isinstance(payload, str) else json.dumps(payload)
    signed = f"{_base64url(header.encode())}.{_base64url(body.encode())}"
    return f"{signed}.{_base64url(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


def claims(key: str, **changes: Any) -> dict[str, Any]:
    """A good payload; `changes` replaces claims, or removes those that are None."""
    payload = {"cuid": "user-1", "expt": int(time.time()) + 300, "mc": [{"mckey": key}]} | changes
    return {name: value for name, value in payload.items() if value is not None}


def query(token: str, custom_key: str = CUSTOM_KEY, **more: str) -> str:
    return urlencode({"jwt": token, "custom_key": custom_key, **more})


class Answer:
    """What the site answers to a play callback. The defaults are a valid approval."""

    def __init__(self, data: object = None, **changes: Any) -> None:
        self.status: int = changes.get("status", 200)
        self.body: str = changes.get("body", sign({"data": {"result": 1} if data is None else data}))
        self.user_key: str | None = changes.get("user_key", CUSTOM_KEY)
        self.delay_s: float = changes.get("delay_s", 0.0)

    def raw(self) -> bytes:
        header = f"X-Kollus-UserKey: {self.user_key}\r\n" if self.user_key is not None else ""
        body = self.body.encode()
        return (
            f"HTTP/1.1 {self.status} OK\r\n{header}Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode() + body


class Site:
    """A small HTTP server in the test's own loop. `pages` are the HTML pages that it shows, by path."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answers: dict[str, Answer] = {}
        self.plays: list[dict[str, str]] = []
        self.reports: list[dict[str, str]] = []
        self.pages: dict[str, str] = {}
        self.report_delay_s = 0.0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lms_url(self) -> str:
        return f"{self.url}/lms?json_data={{JSON_DATA}}&uservalue0={{USERVALUE0}}&seen={{BLOCK_PLAY_1}}"

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(report["json_data"]) for report in self.reports]

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            if request:
                writer.write(await self._respond(*request))
                await writer.drain()
        except ConnectionError:
            pass  # the caller hung up first, as a timed-out player does
        finally:
            writer.close()

    async def _respond(self, path: str, form: dict[str, str]) -> bytes:
        responders: dict[str, Callable[[dict[str, str]], Awaitable[bytes]]] = {
            "/play": self._answer_play,
            "/lms": self._take_report,
        }
        if path in responders:
            return await responders[path](form)
        body = self.pages.get(path, "").encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def _answer_play(self, form: dict[str, str]) -> bytes:
        self.plays.append(form)
        answer = self.answers.get(form["kind"], Answer())
        await asyncio.sleep(answer.delay_s)
        return answer.raw()

    async def _take_report(self, form: dict[str, str]) -> bytes:
        self.reports.append(form)
        await asyncio.sleep(self.report_delay_s)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None  # a connection that a browser opened in advance
    lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return lines[0].split()[1].split("?")[0], dict(parse_qsl(body.decode(), keep_blank_values=True))


class StandIn:
    """The running stand-in, as a test talks to it."""

    def __init__(self, http: httpx.AsyncClient, contents: dict[str, dict[str, Any]]) -> None:
        self.http = http
        self.contents = contents

    @property
    def port(self) -> int:
        return self.http.base_url.port or 0

    def key_of(self, duration: int) -> str:
        """The key of some content that lasts `duration` seconds."""
        return next(key for key, content in self.contents.items() if content["duration"] == duration)

    def url(self, token: str, **more: str) -> str:
        return f"http://localhost:{self.port}/s?{query(token, **more)}"

    async def settings(self, **changes: Any) -> dict[str, Any]:
        response = await self.http.post("/_sandbox/settings", json=changes)
        assert response.status_code == 200, response.text
        settings: dict[str, Any] = response.json()
        return settings

    async def log(self, kind: str) -> list[dict[str, Any]]:
        entries = (await self.http.get("/_sandbox/log")).json()
        return [entry for entry in entries if entry["kind"] == kind]

    async def play(self, token: str, *watch: tuple[float, float], **more: Any) -> dict[str, Any]:
        url = self.url(token, **more.pop("parameters", {}))
        response = await self.http.post("/_sandbox/play", json={"url": url, "watch": watch, **more})
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()
        return result

    async def flush(self) -> dict[str, int]:
        result: dict[str, int] = (await self.http.post("/_sandbox/lms/flush")).json()
        return result
