"""Real deadlocks and lock time-outs between two sessions on MariaDB."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.database import mysql
from server.database.engine import create_engine, create_sessionmaker
from server.database.outage import is_locked
from server.database.session import (
    current_session,
    in_transaction,
    in_transaction_if_possible,
    session_scope,
    transaction,
)
from tests.database.support import add_counter, add_one, counters
from tests.engines import on_mariadb

Sessions = async_sessionmaker[Any]


pytestmark = on_mariadb


@pytest_asyncio.fixture
async def rivals(database_url: str) -> AsyncIterator[Sessions]:
    """Sessions on two counters at 0; an engine of its own, so that a changed connection is not used again."""
    engine = create_engine(database_url)
    sessions = create_sessionmaker(engine)
    async with session_scope(sessions), transaction():
        await current_session().execute(text("DELETE FROM throttle_counters"))
        await add_counter("a")
        await add_counter("b")
    yield sessions
    await engine.dispose()


async def wait_no_longer_than_a_second() -> None:
    await current_session().execute(text("SET SESSION innodb_lock_wait_timeout=1"))


async def test_a_deadlock_is_retried_whole_and_both_acts_happen_once(rivals: Sessions) -> None:
    both_hold_one = asyncio.Barrier(2)
    tries: list[str] = []

    async def act(first: str, second: str) -> None:
        async def write() -> None:
            tries.append(first)
            await add_one(first)
            if tries.count(first) == 1:
                await both_hold_one.wait()
            await add_one(second)

        async with session_scope(rivals):
            await in_transaction(write)

    await asyncio.gather(act("a", "b"), act("b", "a"))

    async with session_scope(rivals):
        assert await counters() == {"a": 2, "b": 2}
    assert len(tries) > 2, "there was no deadlock"


async def test_after_a_lock_timeout_nothing_of_the_transaction_is_stored(rivals: Sessions) -> None:
    """The server keeps that transaction alive: a COMMIT would store its first half."""
    async with session_scope(rivals), transaction():
        await add_one("b")

        async def other() -> None:
            async with session_scope(rivals), transaction():
                await wait_no_longer_than_a_second()
                await add_one("a")
                await add_one("b")

        with pytest.raises(OperationalError, match="1205"):
            await asyncio.create_task(other())

    async with session_scope(rivals):
        assert await counters() == {"a": 0, "b": 1}


async def test_after_a_lock_timeout_the_act_is_done_again_from_its_start(rivals: Sessions) -> None:
    timed_out = asyncio.Event()
    tries = 0

    async def write() -> None:
        nonlocal tries
        tries += 1
        await wait_no_longer_than_a_second()
        await add_one("a")
        try:
            await add_one("b")
        except OperationalError:
            timed_out.set()
            raise

    async def other() -> None:
        async with session_scope(rivals):
            await in_transaction(write)

    async with session_scope(rivals), transaction():
        await add_one("b")
        waiting = asyncio.create_task(other())
        await timed_out.wait()
    await waiting

    async with session_scope(rivals):
        assert await counters() == {"a": 1, "b": 2}
    assert tries == 2


async def test_several_locks_waited_for_one_after_the_other_are_given_up_by_the_server(
    rivals: Sessions,
) -> None:
    """Each is waited for by itself, together longer than an answer: told by the server, it is tried again."""
    both = text("SELECT count FROM throttle_counters WHERE `key` IN ('a', 'b') ORDER BY `key` FOR UPDATE")
    first_goes = asyncio.Event()

    async def hold_the_first() -> None:
        async with session_scope(rivals), transaction():
            await add_one("a")
            first_goes.set()
            await asyncio.sleep(mysql.ANSWER_WITHIN_S - mysql.LOCK_WAIT_S + 0.8)

    async def want_both() -> None:
        async with session_scope(rivals), transaction():
            await current_session().execute(both)

    async with session_scope(rivals), transaction():
        await add_one("b")
        holding = asyncio.create_task(hold_the_first())
        await first_goes.wait()
        with pytest.raises(OperationalError) as told:
            await asyncio.create_task(want_both())
    await holding

    assert is_locked(told.value)


async def test_a_note_beside_a_page_waits_for_a_lock_once(rivals: Sessions) -> None:
    """An act is tried again after that; a page waits for no more than one lock."""
    tries: list[str] = []

    async def note() -> bool:
        tries.append("a")
        await wait_no_longer_than_a_second()
        await add_one("a")
        return True

    async def hold(held: asyncio.Event, over: asyncio.Event) -> None:
        async with session_scope(rivals), transaction():
            await add_one("a")
            held.set()
            await over.wait()

    held, over = asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(hold(held, over))
    await held.wait()
    async with session_scope(rivals):
        assert await in_transaction_if_possible(note) is None
    over.set()
    await holding

    assert tries == ["a"]
