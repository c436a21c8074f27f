"""Engines: what SQLite and MySQL/MariaDB must be told so that they behave alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

from server.database import mysql, sqlite
from server.database.outage import NoTurn

LOCK_WAIT_S = 5  # for SQLite's one lock; never longer than a visitor waits
# On both: what is searched for and stored (addresses, hashes of tokens) is not for the log of an error.
OPTIONS: dict[str, Any] = {
    "pool_size": 10,
    "max_overflow": 10,
    # A rush of more buyers than connections is a queue: see database/mysql.py for how long it may be.
    "pool_timeout": 2.5,
    "pool_reset_on_return": None,  # see roll_back_what_is_open
    "hide_parameters": True,
}


def create_engine(url: str, *, answer_within_s: float | None = mysql.ANSWER_WITHIN_S) -> AsyncEngine:
    """An engine for a `sqlite+aiosqlite` or `mysql+aiomysql` URL.

    A server that takes longer for one statement counts as away; None, for migrations, waits for as long as
    it takes.
    """
    is_file = make_url(url).get_backend_name() == "sqlite"
    engine = _sqlite(url) if is_file else _mysql(url, answer_within_s)
    event.listen(engine.sync_engine.pool, "reset", roll_back_what_is_open)
    return engine


def _mysql(url: str, answer_within_s: float | None) -> AsyncEngine:
    return create_async_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_recycle=1800,
        **OPTIONS,
        connect_args={"async_creator_fn": partial(mysql.connect, answer_within_s)},
    )


def _sqlite(url: str) -> AsyncEngine:
    if (database := make_url(url).database) and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, **OPTIONS, connect_args={"async_creator_fn": sqlite.connect})

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(f"PRAGMA busy_timeout={LOCK_WAIT_S * 1000}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that will write must say so at once: after a read, a lock that another
        # connection took meanwhile fails immediately, whatever busy_timeout says. What only reads needs
        # none: each statement sees what is committed, as on MariaDB. (A write outside of `transaction()`
        # the driver would begin by itself, and the end of the session rolls it back.)
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class WritersQueue(asyncio.Lock):
    """A lock waited for as long as SQLite's own: behind a stuck writer nobody waits for all the others."""

    async def acquire(self) -> Literal[True]:
        try:
            async with asyncio.timeout(LOCK_WAIT_S):
                return await super().acquire()
        except TimeoutError as error:
            raise NoTurn(f"no turn to write within {LOCK_WAIT_S} s") from error


def roll_back_what_is_open(connection: Any, record: ConnectionPoolEntry, state: PoolResetState) -> None:
    """On return to the pool, instead of its own ROLLBACK: the session has ended almost everything by then."""
    if state.transaction_was_reset or not state.asyncio_safe:
        return
    driver: Any = record.driver_connection
    # Both drivers know it without asking the database.
    is_open = (
        driver.in_transaction if isinstance(driver, sqlite.Connection) else driver.get_transaction_status()
    )
    if is_open:
        connection.rollback()


def create_sessionmaker(engine: AsyncEngine) -> async_sessionmaker[Any]:
    """Sessions of this engine; their `info["writers"]` is what a writing transaction enters first."""
    # SQLite lets one write at a time, and the others poll with growing pauses and in no order: a second
    # for some, while nobody writes at all. So within a process they queue; MariaDB locks rows by itself.
    writers = WritersQueue() if engine.dialect.name == "sqlite" else nullcontext()
    return async_sessionmaker(
        engine,
        expire_on_commit=False,
        info={"writers": writers},
        # Rows become records at once, so a statement need not look after rows that were loaded before it; and
        # what is read again is read anew.
        execution_options={"populate_existing": True, "synchronize_session": False},
    )


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[async_sessionmaker[Any]]:
    """Sessions of a database for as long as a command runs."""
    engine = create_engine(url)
    try:
        yield create_sessionmaker(engine)
    finally:
        await engine.dispose()


def watch_checked_out(engine: AsyncEngine, tell: Callable[[int], object]) -> None:
    """Have `tell` called with the number of connections in use whenever it changes."""
    pool = engine.sync_engine.pool
    in_use: set[int] = set()

    @event.listens_for(pool, "checkout")
    def taken(connection: Any, record: Any, proxy: Any) -> None:
        in_use.add(id(record))
        tell(len(in_use))

    @event.listens_for(pool, "checkin")
    def given_back(connection: Any, record: Any) -> None:
        in_use.discard(id(record))
        tell(len(in_use))
