"""A keep-alive connection written by hand: it can be used again, and broken off at any moment."""

import asyncio
from dataclasses import dataclass
from typing import Self

# With a sign-in cookie, though a stale one, so that the hooks before the handler ask the database too.
HEADERS = "Host: 127.0.0.1\r\nCookie: playbill_sign_in=stale\r\nContent-Length: 0\r\n"


class Broken(Exception):
    """The server closed the connection instead of answering."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    keeps_alive: bool


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, method: str, target: str) -> None:
        self._writer.write(f"{method} {target} HTTP/1.1\r\n{HEADERS}\r\n".encode())
        await self._writer.drain()

    async def answer(self) -> Answer:
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            if headers.get("transfer-encoding") == "chunked":
                body = await self._streamed()
            else:
                body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Broken from error
        return Answer(int(head.split()[1]), body, headers.get("connection") != "close")

    async def _streamed(self) -> bytes:
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
        return body

    async def first_bytes(self) -> bytes:
        """Something of an answer that is still being written."""
        return await self._reader.read(100)

    def abort(self) -> None:
        """Gone without a word, as when a phone loses its network."""
        self._writer.transport.abort()
