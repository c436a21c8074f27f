"""SQLite files through aiosqlite, with one trip to a connection's thread per statement instead of four.

aiosqlite hands every call to a thread: making a cursor, executing, fetching and closing it cost far more
than a small statement itself. Here a cursor is made, asked and emptied in one go. Nothing streams.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

import aiosqlite

CHUNK = 64  # aiosqlite's own default, for a way of reading that is not used here


class Connection(aiosqlite.Connection):
    def __del__(self) -> None:
        # Whoever is cancelled before a new connection has reached the pool leaves it to this, rightly: it is
        # closed at once. The driver would warn.
        if self._connection is not None:
            self.stop()

    def cursor(self) -> "Cursor":  # type: ignore[override]  # theirs is awaitable as well; SQLAlchemy only enters it
        return Cursor(self)


class Cursor(aiosqlite.Cursor):
    _cursor: sqlite3.Cursor

    def __init__(self, connection: Connection) -> None:
        self._conn = connection
        self._rows: list[Any] = []

    async def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        await self._execute(self._ask, sql, parameters)  # type: ignore[no-untyped-call]
        return self

    def _ask(self, sql: str, parameters: Any) -> None:
        self._cursor = self._conn._conn.execute(sql, parameters)
        self._rows = self._cursor.fetchall()

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "Cursor":
        asked = self._execute(self._conn._conn.executemany, sql, parameters)  # type: ignore[no-untyped-call]
        self._cursor = await asked
        return self

    async def fetchall(self) -> Iterable[sqlite3.Row]:
        return self._rows

    async def close(self) -> None:
        """Nothing to do: a cursor whose rows are all fetched holds nothing in the database."""


async def connect(database: str, **options: Any) -> Connection:
    connection = Connection(lambda: sqlite3.connect(database, **options), CHUNK)
    connection._thread.daemon = True  # as SQLAlchemy does: a lost connection must not keep the process alive
    await connection
    return connection
