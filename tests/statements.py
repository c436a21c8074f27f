"""Counts the SELECT, INSERT, UPDATE and DELETE statements of an engine (no BEGIN, no savepoints, no ping)."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Statements(list[str]):
    @classmethod
    @contextlib.contextmanager
    def of(cls, engine: AsyncEngine) -> Iterator["Statements"]:
        seen = cls()

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.lstrip().upper().startswith(COUNTED):
                seen.append(statement)

        event.listen(engine.sync_engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", note)
