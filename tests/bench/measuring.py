"""One engine, one size of the catalog: fill a database, start the servers, measure case by case."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.database.session import session_scope
from server.settings import Settings
from server.standins import health_addresses
from tests.bench.bare import Answer, Answers
from tests.bench.cases import CASES, FIRST_COUNT, Case, Seat
from tests.bench.load import Job, Result, Results, Target
from tests.bench.stock import stock, take_seat
from tests.commands import run_playbill
from tests.conftest import environment_of, free_settings, wait_for
from tests.http import async_client
from tests.listening import listening
from tests.ports import free_port
from tests.statements import Statements

CONNECTIONS = 16
STOP_WITHIN_S = 20
MEASURE_WITHIN_S = 120


@dataclass(frozen=True)
class Prepared:
    """A filled database; by case, what its first answer was and how many statements it took."""

    seats: list[Seat]
    answers: dict[str, Answer]
    statements: dict[str, int]


@dataclass(frozen=True)
class Measured:
    case: Case
    courses: int
    statements: int
    site: Result
    bare: Result


async def prepare(settings: Settings, courses: int) -> Prepared:
    """Fill the empty database; ask every case once, of an application in this process."""
    async with listening(settings) as app, async_client(base_url=settings.public_url) as client:
        async with session_scope(app.ctx.sessions):
            await stock(courses)
            seats = [await take_seat(number) for number in range(CONNECTIONS)]
        prepared = Prepared(seats, {}, {})
        for case in CASES:
            ask = case.ask(seats[0]).counted(FIRST_COUNT)
            with Statements.of(app.ctx.engine) as counted:
                answer = await client.request(ask.method, ask.path, headers=ask.headers, content=ask.body)
            prepared.statements[case.name] = len(counted)
            prepared.answers[case.name] = Answer(
                method=ask.method,
                path=ask.path,
                content_type=answer.headers.get("content-type"),
                size=len(answer.content),
            )
        return prepared


@contextmanager
def running(arguments: Sequence[str], environment: dict[str, str], awaited: list[str]) -> Iterator[None]:
    """`python -m …` while the context lasts; it begins when every address of `awaited` answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,  # the table alone; what goes wrong is told on the other stream
    )
    try:
        wait_for(awaited)
        yield
    finally:
        process.terminate()
        process.wait(STOP_WITHIN_S)


def measure(
    settings: Settings, environment: dict[str, str], prepared: Prepared, courses: int
) -> Iterator[Measured]:
    """Every case against the site and, in turns, against bare Sanic; `environment` makes these settings."""
    bare_port = free_port()
    bare_health = Answer(method="GET", path="/healthz", content_type="text/plain", size=2)
    answers = Answers(answers=[bare_health, *prepared.answers.values()])
    with ExitStack() as servers:
        for arguments, awaited in (
            (["server.cli", "sandbox"], health_addresses(settings)),
            (["server.cli", "serve"], [f"{settings.public_url}/healthz"]),
            (
                ["tests.bench.bare", f"--port={bare_port}", answers.model_dump_json()],
                [f"http://127.0.0.1:{bare_port}/healthz"],
            ),
        ):
            servers.enter_context(running(arguments, environment, awaited))
        for case in CASES:
            site, bare = load(case, prepared.seats, [settings.port, bare_port])
            yield Measured(case, courses, prepared.statements[case.name], site, bare)


def load(case: Case, seats: Sequence[Seat], ports: Sequence[int]) -> list[Result]:
    """Ask the servers at these ports in turns, from a process of its own."""
    targets = [
        Target(port=port, requests=[case.ask(seat).raw(f"127.0.0.1:{port}") for seat in seats])
        for port in ports
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=Job(targets=targets, first_count=FIRST_COUNT + 1).model_dump_json(),
        capture_output=True,
        text=True,
        timeout=MEASURE_WITHIN_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{case.name}: {done.stderr}")
    return Results.model_validate_json(done.stdout).results


def bench(database_url: str, var_dir: str, courses: int) -> Iterator[Measured]:
    """Measure with a catalog of this size in this (empty) database, one worker."""
    settings = free_settings(Path(var_dir), database_url=database_url, workers=1)
    environment = environment_of(settings)
    run_playbill(["migrate"], environment)
    prepared = asyncio.run(prepare(settings, courses))
    yield from measure(settings, environment, prepared, courses)
