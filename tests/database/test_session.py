"""The ambient session: bound, released, committed as a whole or not at all. On both engines."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.pool import QueuePool

from server.database import session as database
from server.database.engine import LOCK_WAIT_S
from server.database.outage import is_outage
from server.database.session import (
    NoSession,
    TransactionMisuse,
    current_session,
    in_transaction,
    open_sessions,
    release,
    session_scope,
    transaction,
)
from server.integrations.stripe import StripeGateway
from server.settings import Settings
from server.throttle.models import ThrottleCounter
from tests.database.support import add_counter, add_one, counters

Sessions = async_sessionmaker[Any]


def in_use(engine: AsyncEngine) -> int:
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def test_outside_a_request_there_is_no_session() -> None:
    with pytest.raises(NoSession):
        current_session()


async def test_a_scope_that_asks_nothing_opens_nothing(
    clean_database: None, engine: AsyncEngine, sessions: Sessions
) -> None:
    async with session_scope(sessions):
        assert (open_sessions(), in_use(engine)) == (0, 0)


async def test_release_gives_the_connection_back_and_the_session_works_on(
    session: None, engine: AsyncEngine
) -> None:
    await current_session().scalar(text("SELECT 1"))
    held = in_use(engine)
    await release()

    assert (held, in_use(engine)) == (1, 0)
    assert await current_session().scalar(text("SELECT 2")) == 2


async def test_a_gateway_refuses_while_a_connection_is_held(session: None, settings: Settings) -> None:
    gateway = StripeGateway(settings)
    await current_session().scalar(text("SELECT 1"))
    try:
        with pytest.raises(TransactionMisuse):
            await gateway.fetch_intent("pi_1")
    finally:
        await gateway.close()


async def test_a_gateway_refuses_inside_a_transaction(session: None, settings: Settings) -> None:
    gateway = StripeGateway(settings)
    try:
        with pytest.raises(TransactionMisuse):
            async with transaction():
                await gateway.fetch_intent("pi_1")
    finally:
        await gateway.close()


async def test_a_transaction_in_a_transaction_is_refused(session: None) -> None:
    with pytest.raises(TransactionMisuse):
        async with transaction():
            await add_counter("outer")
            async with transaction():
                await add_counter("inner")

    assert await counters() == {}


async def test_release_in_a_transaction_is_refused(session: None) -> None:
    with pytest.raises(TransactionMisuse):
        async with transaction():
            await release()


async def test_an_error_rolls_back_and_the_session_works_on(session: None, engine: AsyncEngine) -> None:
    with pytest.raises(RuntimeError, match="half-way"):
        async with transaction():
            await add_counter("lost")
            raise RuntimeError("half-way")
    held = in_use(engine)
    async with transaction():
        await add_counter("kept")

    assert (held, await counters()) == (0, {"kept": 0})


async def test_what_was_written_outside_a_transaction_is_not_committed_by_the_next_one(session: None) -> None:
    await current_session().execute(
        ThrottleCounter.__table__.insert().values(key="stray", window_start=0, count=0)  # type: ignore[attr-defined]
    )
    async with transaction():
        await add_counter("kept")

    assert await counters() == {"kept": 0}


async def test_cancellation_rolls_back(session: None, sessions: Sessions, engine: AsyncEngine) -> None:
    inside = asyncio.Event()

    async def act() -> None:
        async with session_scope(sessions), transaction():
            await add_counter("lost")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(act())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (in_use(engine), await counters()) == (0, {})


async def test_cancelled_at_any_moment_nothing_is_half_done(
    session: None, sessions: Sessions, engine: AsyncEngine
) -> None:
    """Two rows that belong together; the cancellation falls wherever the event loop happens to be."""

    async def act(number: int) -> None:
        async with session_scope(sessions), transaction():
            await add_counter(f"{number}-a")
            await add_counter(f"{number}-b")

    async def cancelled_after(number: int) -> None:
        task = asyncio.create_task(act(number))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for number in range(60):
        await cancelled_after(number)

    found = await counters()
    await release()
    assert {key[:-2] for key in found if key.endswith("a")} == {
        key[:-2] for key in found if key.endswith("b")
    }
    assert (open_sessions(), in_use(engine)) == (1, 0)  # the test's own


async def test_fifty_writers_that_read_first_all_get_their_turn(session: None, sessions: Sessions) -> None:
    async with transaction():
        await add_counter("shared")
    await release()

    async def act() -> None:
        async with session_scope(sessions):
            await current_session().scalar(select(ThrottleCounter.count))
            await in_transaction(read_and_write)

    async def read_and_write() -> None:
        count = await current_session().scalar(select(ThrottleCounter.count).with_for_update())
        assert count is not None
        await current_session().execute(
            ThrottleCounter.__table__.update().values(count=count + 1)  # type: ignore[attr-defined]
        )

    await asyncio.gather(*(act() for _ in range(50)))

    assert await counters() == {"shared": 50}


async def test_each_task_has_a_session_of_its_own(session: None, sessions: Sessions) -> None:
    mine = current_session()

    async def act() -> object:
        async with session_scope(sessions):
            return current_session()

    others = await asyncio.gather(act(), act())

    assert len({id(mine), *(id(other) for other in others)}) == 3
    assert current_session() is mine


async def test_the_number_of_open_sessions_is_told(clean_database: None, sessions: Sessions) -> None:
    told: list[int] = []
    before = database._tell_open
    database.watch_open_sessions(told.append)
    try:
        async with session_scope(sessions):
            await counters()
            await add_one("nobody")
    finally:
        database.watch_open_sessions(before)

    assert told == [1, 0]


async def test_behind_a_stuck_writer_everybody_gives_up_at_the_same_time(
    session: None, sessions: Sessions
) -> None:
    """Five who wait for the same row, or on SQLite for the file: not one after the other."""
    stuck, over = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with session_scope(sessions), transaction():
            await add_counter("shared")
            stuck.set()
            await over.wait()

    async def write() -> None:
        async with session_scope(sessions):
            await in_transaction(add_counter, "shared")

    holding = asyncio.create_task(hold())
    await stuck.wait()
    began = asyncio.get_running_loop().time()
    refused = await asyncio.gather(*(write() for _ in range(5)), return_exceptions=True)
    took_s = asyncio.get_running_loop().time() - began
    over.set()
    await holding

    assert all(isinstance(error, BaseException) and is_outage(error) for error in refused), refused
    assert took_s < 2 * LOCK_WAIT_S
