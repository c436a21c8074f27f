"""The load, a process of its own: keep-alive connections that each ask again when their answer is whole.

Reads a `Job` from standard input and writes one `Result` per target to standard output, both as JSON.
"""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from pydantic import BaseModel

from tests.bench.cases import COUNTER

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
GRACE_S = 10.0


class Target(BaseModel):
    """A server on 127.0.0.1; one connection for each of `requests`, which that connection repeats."""

    port: int
    requests: list[str]


class Job(BaseModel):
    """Targets take turns, `rounds` times `seconds` each, after `warm_up` seconds each."""

    targets: list[Target]
    first_count: int
    rounds: int = 3
    seconds: float = 1.0
    warm_up: float = 0.5


class Result(BaseModel):
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


class Refused(Exception):
    """An answer other than 200: what is measured must work."""


class Connection(asyncio.Protocol):
    """Sends its request again and again; only whole answers of status 200 count."""

    def __init__(self, request: bytes, counter: Iterator[int]) -> None:
        self._parts = request.split(COUNTER.encode())
        self._counter = counter
        self._received = bytearray()
        self._expected = 0  # bytes of the whole answer; 0 until its head is here
        self._sent_at = self._until = 0.0
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def run(self, until: float) -> asyncio.Future[None]:
        """Ask until that moment of `time.perf_counter()`; done with the last whole answer."""
        self._until = until
        self._done = asyncio.get_running_loop().create_future()
        self._ask()
        return self._done

    def _ask(self) -> None:
        request = str(next(self._counter)).encode().join(self._parts)
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            end = self._received.find(HEAD_END)
            if end < 0:
                return
            length = CONTENT_LENGTH.search(self._received, 0, end)
            if length is None or not self._received.startswith(b"HTTP/1.1 200 "):
                self._fail(Refused(bytes(self._received[:1000]).decode("utf-8", "replace")))
                return
            self._expected = end + len(HEAD_END) + int(length[1])
        if len(self._received) >= self._expected:
            self._finish()

    def _finish(self) -> None:
        at = time.perf_counter()
        self.latencies.append(at - self._sent_at)
        self._received.clear()
        self._expected = 0
        if at < self._until:
            self._ask()
        elif not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or Refused("the connection was closed"))

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)


@dataclass
class Run:
    """The connections to one target and what they have measured."""

    connections: list[Connection]
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    async def turn(self, seconds: float, *, counts: bool = True) -> None:
        began = time.perf_counter()
        async with asyncio.timeout(seconds + GRACE_S):
            await asyncio.gather(*(one.run(began + seconds) for one in self.connections))
        elapsed = time.perf_counter() - began
        for one in self.connections:
            if counts:
                self.latencies += one.latencies
            one.latencies.clear()
        self.seconds += elapsed if counts else 0

    def result(self) -> Result:
        ordered = sorted(self.latencies)
        return Result(
            requests=len(ordered),
            per_second=len(ordered) / self.seconds,
            p50_ms=ordered[len(ordered) // 2] * 1000,
            p99_ms=ordered[len(ordered) * 99 // 100] * 1000,
        )


async def work(job: Job) -> list[Result]:
    loop = asyncio.get_running_loop()
    counter = count(job.first_count)
    runs = []
    for target in job.targets:
        connections = []
        for request in target.requests:
            made = Connection(request.encode("ascii"), counter)
            await loop.create_connection(lambda made=made: made, "127.0.0.1", target.port)  # type: ignore[misc]
            connections.append(made)
        runs.append(Run(connections))
    for run in runs:
        await run.turn(job.warm_up, counts=False)
    for _ in range(job.rounds):
        for run in runs:
            await run.turn(job.seconds)
    return [run.result() for run in runs]


class Results(BaseModel):
    results: list[Result]


if __name__ == "__main__":
    found = asyncio.run(work(Job.model_validate_json(sys.stdin.read())))
    sys.stdout.write(Results(results=found).model_dump_json())
