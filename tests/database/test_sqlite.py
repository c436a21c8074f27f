"""What makes SQLite bearable under load: one trip to a thread per statement, and writers that queue."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest_asyncio
from sqlalchemy import delete, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from server.database import sqlite
from server.database.engine import create_engine, create_sessionmaker
from server.database.session import session_scope, transaction
from server.throttle.models import ThrottleCounter as Counter
from tests.database.support import add_counter


@pytest_asyncio.fixture
async def file(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A SQLite file of its own with one table."""
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(Counter.metadata.tables[Counter.__tablename__].create)
    yield engine
    await engine.dispose()


class Counted(SimpleQueue[Any]):
    """Stands before the queue of a connection's thread and counts what goes in."""

    _queue: SimpleQueue[Any]
    trips = 0

    @classmethod
    def before(cls, queue: SimpleQueue[Any]) -> "Counted":
        made = cls()
        made._queue = queue
        return made

    def put_nowait(self, item: Any) -> None:
        self.trips += 1
        self._queue.put_nowait(item)


async def test_a_statement_is_one_trip_to_the_thread(file: AsyncEngine) -> None:
    async with file.connect() as connection:
        await connection.execute(select(literal(1)))
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, sqlite.Connection)
        driver._tx = counted = Counted.before(driver._tx)

        found = (await connection.execute(select(literal(1)))).all()

        assert ([tuple(row) for row in found], counted.trips) == ([(1,)], 1)


async def test_results_are_those_of_the_driver(file: AsyncEngine) -> None:
    rows = [{"key": key, "window_start": 0, "count": 1} for key in "abc"]
    async with file.begin() as connection:
        await connection.execute(insert(Counter), rows)
        changed = await connection.execute(update(Counter).values(count=2))
        gone = await connection.execute(delete(Counter).where(Counter.key == "a").returning(Counter.count))
        left = await connection.scalar(select(func.count()).select_from(Counter))

    assert (changed.rowcount, gone.all(), left) == (3, [(2,)], 2)


async def test_writers_of_a_process_write_in_the_order_in_which_they_came(file: AsyncEngine) -> None:
    sessions = create_sessionmaker(file)
    wrote: list[int] = []

    async def write(number: int) -> None:
        async with session_scope(sessions), transaction():
            await add_counter(f"writer {number}")
            wrote.append(number)

    await asyncio.gather(*(write(number) for number in range(30)))

    assert wrote == list(range(30))


async def test_a_commit_is_on_the_disk_when_it_is_done(file: AsyncEngine) -> None:
    """A power cut after *Pay* took back an order whose payment went through at Stripe."""
    full = 2
    async with file.connect() as connection:
        assert await connection.scalar(text("PRAGMA synchronous")) == full
