"""No wait for MariaDB is longer than a visitor's patience, and nothing is read that was asked by another."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from server.database import mysql
from server.database.engine import create_engine, create_sessionmaker
from server.database.outage import is_outage
from server.database.session import current_session, session_scope, transaction
from tests.mariadb import MariaDB

SHORT_S = 0.2


@pytest_asyncio.fixture
async def impatient(mariadb: MariaDB) -> AsyncIterator[AsyncEngine]:
    """An engine that waits for an answer for a fifth of a second."""
    engine = create_engine(f"mysql+aiomysql://root@127.0.0.1:{mariadb.port}/", answer_within_s=SHORT_S)
    yield engine
    await engine.dispose()


def in_use(engine: AsyncEngine) -> int:
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def test_a_statement_without_an_answer_is_an_outage_and_its_connection_gone(
    impatient: AsyncEngine,
) -> None:
    async with session_scope(create_sessionmaker(impatient)):
        mine = await current_session().scalar(text("SELECT CONNECTION_ID()"))
        with pytest.raises(DBAPIError) as raised:
            await current_session().scalar(text("SELECT SLEEP(1) + 7"))
        await current_session().reset()

        assert is_outage(raised.value)
        assert await current_session().scalar(text("SELECT CONNECTION_ID()")) != mine
    assert in_use(impatient) == 0


async def test_a_transaction_without_an_answer_is_given_up_and_holds_nothing(impatient: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with session_scope(create_sessionmaker(impatient)), transaction():
            await current_session().execute(text("DO SLEEP(1)"))

    assert (is_outage(raised.value), in_use(impatient)) == (True, 0)


async def test_migrations_may_take_their_time(mariadb: MariaDB) -> None:
    engine = create_engine(f"mysql+aiomysql://root@127.0.0.1:{mariadb.port}/", answer_within_s=None)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT SLEEP(0.5) + 7")) == 7
    await engine.dispose()


async def test_a_server_that_takes_a_connection_and_says_nothing_is_an_outage() -> None:
    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken_to.append(writer)

    spoken_to: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    engine = create_engine(f"mysql+aiomysql://root@127.0.0.1:{server.sockets[0].getsockname()[1]}/any")
    began = asyncio.get_running_loop().time()
    with pytest.raises(DBAPIError) as raised:
        async with engine.connect():
            pass
    took_s = asyncio.get_running_loop().time() - began
    await engine.dispose()
    for writer in spoken_to:
        writer.close()
    server.close()
    await server.wait_closed()

    assert is_outage(raised.value)
    assert took_s < mysql.CONNECT_WITHIN_S + 1


def test_a_lock_that_is_not_free_is_told_by_the_server_and_not_by_our_limit() -> None:
    assert mysql.LOCK_WAIT_S < mysql.ANSWER_WITHIN_S
