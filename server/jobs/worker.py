"""Does the jobs that wait; runs in every worker, one job at a time in each.

A job that is taken is held by a lease. Whoever finds one whose lease has ended takes it over, so the job of a
killed worker goes on elsewhere, up to the tries of its kind.
"""

import asyncio
import logging
from datetime import timedelta
from functools import partial

from server.clock import now
from server.database.outage import is_outage
from server.database.session import in_transaction
from server.errors import PlaybillError
from server.jobs import leases, repository, service
from server.jobs.leases import LeaseLost
from server.jobs.records import JobRecord
from server.jobs.running import JobCanceled, RunningJob

# After the n-th failure; the last one also after every later one.
PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))

log = logging.getLogger("playbill.jobs")


async def run_waiting() -> int:
    """Do every job that is due; returns how many were begun."""
    begun = 0
    while (job := await _take_due()) is not None:
        begun += 1
        await _run(job)
    return begun


async def _take_due() -> JobRecord | None:
    kinds = list(service.kinds())
    if not await repository.has_due(kinds, now()):
        return None

    async def act() -> JobRecord | None:
        at = now()
        return await repository.take_due(kinds, leases.new_holder(), at, at + leases.term())

    return await in_transaction(act)


async def _run(job: JobRecord) -> None:
    kind = service.kinds()[job.kind]
    if job.cancel_requested:
        await in_transaction(repository.end_canceled, job, now())
        return
    if job.tries > kind.tries:
        log.error("job %s (%s): every try ended with its worker", job.id, job.kind)
        await in_transaction(repository.fail, job, "Every try ended with its worker.", now())
        return
    running = RunningJob(job, job.done, job.total)
    try:
        async with leases.kept(partial(_renew, job)):
            result = await kind.run(running)
    except JobCanceled:
        await in_transaction(repository.end_canceled, job, now())
    except LeaseLost:
        log.warning("job %s (%s): another worker has it now", job.id, job.kind)
    except asyncio.CancelledError:
        await in_transaction(repository.give_back, job, now())  # this process ends
        raise
    except Exception as error:
        await _try_later(job, kind, error)
    else:
        await in_transaction(repository.finish, job, dict(result or {}), now())
        log.info("job %s (%s) is done", job.id, job.kind)


async def _renew(job: JobRecord) -> bool:
    return await in_transaction(repository.extend, job, now() + leases.term())


async def _try_later(job: JobRecord, kind: service.Kind, error: Exception) -> None:
    if is_outage(error) or isinstance(error, PlaybillError):
        log.warning("job %s (%s), try %d: %s", job.id, job.kind, job.tries, type(error).__name__)
    else:
        log.exception("job %s (%s), try %d failed", job.id, job.kind, job.tries)
    told = f"{type(error).__name__}: {error}"  # for staff: a log keeps no words that may quote somebody

    async def act() -> None:
        latest = await repository.lock(job.id)
        if latest is not None and latest.cancel_requested:
            await repository.end_canceled(job, now())
        elif job.tries >= kind.tries:
            await repository.fail(job, told, now())
        else:
            await repository.put_off(job, now() + PAUSES[min(job.tries, len(PAUSES)) - 1], told)

    await in_transaction(act)
