"""Runs migrations on whatever DATABASE_URL names; `alembic -c setup.cfg …` or `playbill migrate`."""

import asyncio
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic import context
from server.database.engine import create_engine
from server.database.schema import metadata
from server.database.types import JsonText, UtcDateTime
from server.settings import Settings


def render_frozen(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """A generated migration names the types that stand frozen in it, and imports none of ours."""
    is_ours = kind == "type" and isinstance(item, UtcDateTime | JsonText)
    return type(item).__name__ if is_ours else False


def run(connection: Connection) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite:
        # It changes a column by making the table anew, and must not mind that others point to it meanwhile.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=on_sqlite,
        compare_type=True,
        render_item=render_frozen,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if on_sqlite:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not broken, f"rows that point to nothing: {broken[:5]}"
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")


async def run_async(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    # A table that is rebuilt may take minutes.
    asyncio.run(run_async(create_engine(Settings().database_url, answer_within_s=None)))
