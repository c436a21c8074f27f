"""`python -m tests.bench [--engine mariadb]`: measures on this machine and prints a Markdown table.

Takes about two minutes. Every server listens on a free port of 127.0.0.1 and ends with the run.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.measuring import CONNECTIONS, Measured, bench
from tests.engines import ENGINES
from tests.mariadb import MariaDB
from tests.ports import free_port

CATALOGS = (12, 1000)
HEADER = """\
| case | courses | statements | req/s | p50 ms | p99 ms | bare req/s | bare p50 ms | share of bare |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


def row(measured: Measured) -> str:
    site, bare = measured.site, measured.bare
    cells = (
        measured.case.name,
        f"{measured.courses:,}",
        f"{measured.statements}",
        f"{site.per_second:,.0f}",
        f"{site.p50_ms:.1f}",
        f"{site.p99_ms:.1f}",
        f"{bare.per_second:,.0f}",
        f"{bare.p50_ms:.1f}",
        f"{site.per_second / bare.per_second:.1%}",
    )
    return f"| {' | '.join(cells)} |"


@contextmanager
def databases(engine: str, folder: Path) -> Iterator[Callable[[str], str]]:
    """Gives a function that makes an empty database of this name and returns its URL."""
    if engine == "sqlite":
        yield lambda name: f"sqlite+aiosqlite:///{folder / name}.db"
        return
    with MariaDB(folder, free_port()) as server:
        yield server.create_database


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    engine = parser.parse_args().engine
    tell(f"One worker, {engine}, {CONNECTIONS} keep-alive connections, beside bare Sanic in the same run.\n")
    tell(HEADER)
    with (
        tempfile.TemporaryDirectory(prefix="playbill-bench-") as folder,
        databases(engine, Path(folder)) as new_database,
    ):
        for courses in CATALOGS:
            for measured in bench(new_database(f"playbill_{courses}"), folder, courses):
                tell(row(measured))


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
