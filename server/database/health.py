"""What an operator is told about the database beyond "it answers": does it take writes, and keep them?"""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.database.outage import is_locked, is_outage
from server.database.session import current_session, transaction

LOOK_EVERY_S = 5.0
LOOK_FOR_S = 0.8


class Writes:
    """Whether writes are taken, found out by one that changes nothing, and not for every asker anew."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._taken = True

    async def are_taken(self) -> bool:
        """False on a full disk or a read-only server; a database that is busy with others' takes them."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            self._taken = await _takes_a_write()
        return self._taken


async def _takes_a_write() -> bool:
    try:
        async with asyncio.timeout(LOOK_FOR_S), transaction():
            # SQLite writes the page again, MariaDB refuses if it is read-only; neither changes anything.
            await current_session().execute(text("UPDATE alembic_version SET version_num = version_num"))
    except (TimeoutError, PoolTimeout):
        return True
    except DBAPIError as error:
        if not is_outage(error):
            raise
        return is_locked(error)
    return True


async def forgets_commits() -> bool:
    """Whether a power cut may take back what was committed: MariaDB so configured writes its log later."""
    if current_session().get_bind().dialect.name == "sqlite":
        return False  # see engine.py
    flushed = await current_session().scalar(text("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit"))
    return bool(flushed != 1)
