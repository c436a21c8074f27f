"""Writing that tells what it did: `changed` counts rows, `insert_once` says new or known.

All of it only inside `transaction()`, as `require_transaction` has it.
"""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update, insert
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from server.database.base import Base
from server.database.session import current_session, require_transaction

MYSQL_DUPLICATE = 1062
SQLITE_DUPLICATE = ("UNIQUE constraint failed",)


async def changed(statement: Update | Delete) -> int:
    """Run it; how many rows its condition met."""
    require_transaction()
    result = await current_session().execute(statement)
    return cast("CursorResult[Any]", result).rowcount


async def insert_once(table: type[Base], values: Mapping[str, Any]) -> bool:
    """Insert a row; False if its key is there already. Any other violation is raised.

    A plain INSERT in a savepoint: ON DUPLICATE KEY UPDATE reports one row for the first and for the
    second insert, and INSERT IGNORE also swallows texts that are too long.
    """
    require_transaction()
    session = current_session()
    try:
        async with session.begin_nested():
            await session.execute(insert(table).values(**values))
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
        return False
    return True


def _is_duplicate(error: IntegrityError) -> bool:
    original = error.orig
    if original is None:
        return False
    return original.args[:1] == (MYSQL_DUPLICATE,) or str(original).startswith(SQLITE_DUPLICATE)


async def upsert(
    table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any], only_new: Mapping[str, Any] = {}
) -> None:
    """Insert `key | values | only_new`, or bring `values` of the row with that unique key up to date."""
    require_transaction()
    session = current_session()
    row = {**key, **values, **only_new}
    if session.get_bind().dialect.name == "sqlite":
        on_sqlite = sqlite_insert(table).values(**row)
        await session.execute(on_sqlite.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
    else:
        await session.execute(mysql_insert(table).values(**row).on_duplicate_key_update(**values))
