"""What repeats beside the requests, in every worker or in one of the whole site at a time."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from server.database.outage import is_outage
from server.database.session import Sessions, session_scope
from server.errors import PlaybillError
from server.jobs import leases
from server.jobs.leases import Hold, LeaseLost

END_WITHIN_S = 3.0
DRIFT = 0.1  # so that workers do not all come at once

log = logging.getLogger("playbill.jobs")


@dataclass(frozen=True, slots=True)
class EveryWorker:
    """Each worker does it, as often as it comes round."""

    name: str
    act: Callable[[], Awaitable[object]]
    every_s: float

    async def run(self) -> None:
        await self.act()


@dataclass(frozen=True, slots=True)
class OncePerSite:
    """One worker at a time does it, and the next not before the time is over; `act` is given the lease."""

    name: str
    act: Callable[[Hold], Awaitable[object]]
    every_s: float

    @property
    def pause(self) -> timedelta:
        return timedelta(seconds=self.every_s * (1 - DRIFT))

    async def run(self, *, at_once: bool = False) -> bool:
        """False if another worker is at it, or (unless `at_once`) has just been."""
        hold = await leases.take(self.name, self.pause, even_in_pause=at_once)
        if hold is None:
            return False
        try:
            async with leases.kept(hold.renew):
                await self.act(hold)
        finally:
            await hold.leave(self.pause)
        return True


Recurring = EveryWorker | OncePerSite


def start(jobs: Iterable[Recurring], sessions: Sessions) -> list["asyncio.Task[None]"]:
    """Begin with all of them. To be held: a task that nobody holds can be garbage-collected half-way."""
    return [asyncio.create_task(_repeat(job, sessions), name=job.name) for job in jobs]


async def stop(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    # Not for ever: a library that swallows the cancellation must not hold up the end of the process.
    await asyncio.wait(tasks, timeout=END_WITHIN_S)


async def _repeat(job: Recurring, sessions: Sessions) -> None:
    """Run it now and then every `every_s` seconds, each time in a session of its own."""
    while True:
        try:
            async with session_scope(sessions):
                await job.run()
        except Exception as error:
            # The job must outlive a bad day of the database or of a third party.
            if is_outage(error):
                log.warning("%s: database unavailable: %s", job.name, error)
            elif isinstance(error, PlaybillError | LeaseLost):
                log.warning("%s: %s", job.name, type(error).__name__)  # a third party is away, or we were
            else:
                log.exception("%s failed", job.name)
        await asyncio.sleep(job.every_s * random.uniform(1 - DRIFT, 1 + DRIFT))  # noqa: S311
