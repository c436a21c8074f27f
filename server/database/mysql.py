"""MySQL and MariaDB through aiomysql, with a limit on every wait for the server.

The driver has one for the TCP connection alone. A server that is stopped, or a network that swallows
packets, keeps its connections and says nothing: every page then hung for 40 s, until Sanic gave up.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomysql  # type: ignore[import-untyped]
from pymysql.constants import CR  # type: ignore[import-untyped]

# What may follow each other stays below the 5 s within which a page says that the database is away: a wait
# for a free connection (see engine.py), a ping and a new one; a statement and a ROLLBACK.
CONNECT_WITHIN_S = 1.0
PING_WITHIN_S = 0.5
ANSWER_WITHIN_S = 4.0
# Shorter: that locks are not free is told by the server, and the act tried again. A statement that wants
# several waits for each of them by itself.
LOCK_WAIT_S = 3
STATEMENT_WITHIN_S = 3.5


class Connection(aiomysql.Connection):  # type: ignore[misc]
    answer_within_s: float | None = None

    async def _connect(self) -> None:
        async with self._limit(CONNECT_WITHIN_S, CR.CR_CONN_HOST_ERROR):
            await super()._connect()

    async def ping(self, reconnect: bool = True) -> None:
        async with self._limit(PING_WITHIN_S):
            await super().ping(reconnect)

    async def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        async with self._limit(self.answer_within_s):
            affected: int = await super().query(sql, unbuffered)
            return affected

    async def rollback(self) -> None:
        # Without an answer the connection is closed, which rolls back as well.
        async with self._limit(PING_WITHIN_S):
            await super().rollback()

    async def _read_ok_packet(self) -> bool:
        """After COMMIT and whatever else has no result."""
        async with self._limit(self.answer_within_s):
            is_ok: bool = await super()._read_ok_packet()
            return is_ok

    @asynccontextmanager
    async def _limit(self, seconds: float | None, code: int = CR.CR_SERVER_LOST) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            # What was asked may still be answered: nobody must read that as the answer to something else.
            self.close()
            raise aiomysql.OperationalError(code, f"no answer within {seconds} s") from error


async def connect(answer_within_s: float | None, **options: Any) -> Connection:
    """A connection on which a statement may take so many seconds; None: as long as it likes."""
    at_most_s = 0 if answer_within_s is None else STATEMENT_WITHIN_S  # 0: no limit
    first = (
        # Refuse what does not fit instead of cutting it.
        "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', "
        f"innodb_lock_wait_timeout={LOCK_WAIT_S}, max_statement_time={at_most_s}"
    )
    connection = Connection(**options, charset="utf8mb4", init_command=first)
    connection.answer_within_s = answer_within_s
    await connection._connect()
    return connection
