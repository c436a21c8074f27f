"""Leases: one worker of the whole site does a thing at a time, and a killed one is soon succeeded.

An end is written by the clock of whoever holds the lease. Clocks that differ by less than a term keep apart.
An end further ahead than any can be is a wrong clock's and holds nobody up: two at once do little harm, none
at all would do much.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from server.clock import now
from server.database.outage import is_outage
from server.database.session import in_transaction, scope_beside
from server.jobs import lease_repository as repository
from server.settings import settings

log = logging.getLogger("playbill.jobs")


class LeaseLost(Exception):
    """This worker was frozen, or cut off from the database, for so long that another one took over."""


def term() -> timedelta:
    """How long a worker is believed to be at it without being heard of; it renews three times meanwhile."""
    return timedelta(seconds=settings().lease_s)


def new_holder() -> str:
    return f"{os.getpid()}-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Hold:
    """A lease that this worker has."""

    name: str
    holder: str

    async def cursor(self) -> str | None:
        """How far the job got, in its own words; None: it has never got anywhere."""
        return await repository.cursor(self.name)

    async def move_cursor(self, cursor: str) -> None:
        """Nothing happens if somebody else has the lease by now."""
        await in_transaction(repository.move_cursor, self.name, self.holder, cursor)

    async def renew(self) -> bool:
        """False if it is somebody else's now."""
        return await in_transaction(repository.extend, self.name, self.holder, now() + term())

    async def leave(self, pause: timedelta) -> None:
        """Free, but nobody needs to begin again before the pause is over."""
        await in_transaction(repository.leave, self.name, self.holder, now() + pause)


async def take(name: str, pause: timedelta, *, even_in_pause: bool = False) -> Hold | None:
    """None if another worker has it, or (unless `even_in_pause`) left it less than `pause` ago."""
    hold = Hold(name, new_holder())

    async def act() -> bool:
        at = now()
        return await repository.take(
            name,
            hold.holder,
            at=at,
            until=at + term(),
            beyond=at + 2 * max(term(), pause),
            even_in_pause=even_in_pause,
        )

    return hold if await in_transaction(act) else None


@asynccontextmanager
async def kept(renew: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """While the body runs, `renew` is called now and then, in a session of its own.

    If it finds that somebody else took over, or cannot be asked for a term, the body is cut off by LeaseLost.
    """
    try:
        async with asyncio.timeout(None) as limit:
            beat = asyncio.create_task(_beat(renew, limit), name="lease")
            try:
                yield
            finally:
                beat.cancel()
                await asyncio.wait([beat])
    except TimeoutError as error:
        if limit.expired():
            raise LeaseLost from error
        raise


async def _beat(renew: Callable[[], Awaitable[bool]], limit: asyncio.Timeout) -> None:
    loop = asyncio.get_running_loop()
    lasts_s = term().total_seconds()
    renewed_at = loop.time()
    while loop.time() < renewed_at + lasts_s:
        await asyncio.sleep(lasts_s / 3)
        began = loop.time()
        try:
            async with scope_beside():
                if not await renew():
                    break
        except Exception as error:
            if is_outage(error):
                log.warning("a lease could not be renewed: %s", error)
            else:
                log.exception("a lease could not be renewed")
        else:
            renewed_at = began
    limit.reschedule(loop.time())
