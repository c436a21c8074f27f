"""`python -m tests.bench [--engine mariadb]`: measures on this machine, prints a Markdown table.

Every server listens on a free port of 127.0.0.1 and ends with the run, which takes about two minutes.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.database.session import session_scope
from server.settings import Settings
from tests.bench.bare import Answer, Answers
from tests.bench.cases import CASES, FIRST_COUNT, Case, Seat
from tests.bench.load import Job, Result, Results, Target
from tests.bench.stock import stock, take_seat
from tests.conftest import ENGINES, free_port, run_playbill, wait_for
from tests.listening import listening
from tests.mariadb import MariaDB
from tests.statements import Statements

CATALOGS = (12, 1000)
CONNECTIONS = 16
END_WITHIN_S = 20

PORTS = ("port", "sandbox_stripe_port", "sandbox_kollus_port", "sandbox_mail_port", "sandbox_smtp_port")


@dataclass(frozen=True)
class Prepared:
    """A filled database, and what each case's first answer was and cost."""

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

    def row(self) -> str:
        cells = (
            self.case.name,
            f"{self.courses:,}",
            self.statements,
            f"{self.site.per_second:,.0f}",
            f"{self.site.p50_ms:.1f}",
            f"{self.site.p99_ms:.1f}",
            f"{self.bare.per_second:,.0f}",
            f"{self.bare.p50_ms:.1f}",
            f"{self.site.per_second / self.bare.per_second:.1%}",
        )
        return f"| {' | '.join(str(cell) for cell in cells)} |"


HEADER = """\
| case | courses | statements | req/s | p50 ms | p99 ms | bare req/s | bare p50 ms | share of bare |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


async def prepare(settings: Settings, courses: int) -> Prepared:
    """Fill the database and ask every case once of an application in this process, counting statements."""
    async with listening(settings) as app, httpx.AsyncClient(base_url=settings.public_url) as client:
        async with session_scope(app.ctx.sessions):
            await stock(courses)
            seats = [await take_seat(number) for number in range(CONNECTIONS)]
        answers, statements = {}, {}
        for case in CASES:
            ask = case.ask(seats[0]).counted(FIRST_COUNT)
            with Statements.of(app.ctx.engine) as counted:
                answer = await client.request(ask.method, ask.path, headers=ask.headers, content=ask.body)
            answer.raise_for_status()
            statements[case.name] = len(counted)
            answers[case.name] = Answer(
                method=ask.method,
                path=ask.path,
                content_type=answer.headers.get("content-type", "text/plain"),
                size=len(answer.content),
            )
    return Prepared(seats, answers, statements)


def measure(site_port: int, bare_port: int, case: Case, prepared: Prepared) -> list[Result]:
    def target(port: int) -> Target:
        return Target(port=port, requests=[case.ask(seat).raw(f"127.0.0.1:{port}") for seat in prepared.seats])

    job = Job(targets=[target(site_port), target(bare_port)], first_count=FIRST_COUNT + 1)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=job.model_dump_json(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{case.name}: {done.stderr}")
    return Results.model_validate_json(done.stdout).results


@contextmanager
def process(arguments: list[str], environment: dict[str, str], awaited: str) -> Iterator[None]:
    """`python -m …` until the context is left; begins when the address `awaited` answers."""
    started = subprocess.Popen([sys.executable, "-m", *arguments], env={**os.environ, **environment})
    try:
        wait_for([awaited])
        yield
    finally:
        started.terminate()
        started.wait(END_WITHIN_S)


def bench(settings: Settings, courses: int) -> Iterator[Measured]:
    """Measure every case with a catalog of this size; the database is empty before."""
    environment = {
        "PLAYBILL_DATABASE_URL": settings.database_url,
        "PLAYBILL_VAR_DIR": str(settings.var_dir),
        "PLAYBILL_WORKERS": "1",
        **{f"PLAYBILL_{name.upper()}": str(getattr(settings, name)) for name in PORTS},
    }
    run_playbill(["migrate"], environment)
    prepared = asyncio.run(prepare(settings, courses))
    bare_port = free_port()
    answers = Answers(answers=list(prepared.answers.values()))
    with ExitStack() as running:
        for arguments, awaited in (
            (["server.cli", "sandbox"], f"http://127.0.0.1:{settings.sandbox_smtp_port}"),
            (["server.cli", "serve"], f"{settings.public_url}/healthz"),
            (["tests.bench.bare", f"--port={bare_port}", answers.model_dump_json()], ""),
        ):
            running.enter_context(process(arguments, environment, awaited))
        for case in CASES:
            site, bare = measure(settings.port, bare_port, case, prepared)
            yield Measured(case, courses, prepared.statements[case.name], site, bare)
