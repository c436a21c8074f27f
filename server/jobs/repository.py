"""The only SQL on jobs that are done once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, delete, exists, func, or_, select, update

from server.audit.records import Actor
from server.database.session import current_session, require_transaction
from server.database.write import changed
from server.jobs.models import Job, JobState
from server.jobs.records import JobRecord
from server.paging import Page, offset_of

# No job is held or put off for longer: a time beyond was written by a clock that was ahead.
LONGEST_LEASE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=2)
OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELED)


async def add(id: str, kind: str, arguments: dict[str, Any], actor: Actor, at: datetime) -> None:
    require_transaction()
    session = current_session()
    session.add(
        Job(
            id=id,
            kind=kind,
            arguments=arguments,
            state=JobState.WAITING,
            done=0,
            tries=0,
            next_try_at=at,
            cancel_requested=False,
            error="",
            actor_kind=actor.kind,
            actor_id=actor.id,
            created_at=at,
        )
    )
    await session.flush()


async def get(job_id: str) -> JobRecord | None:
    row = await current_session().scalar(select(Job).where(Job.id == job_id))
    return JobRecord.of(row) if row else None


async def lock(job_id: str) -> JobRecord | None:
    require_transaction()
    row = await current_session().scalar(select(Job).where(Job.id == job_id).with_for_update())
    return JobRecord.of(row) if row else None


async def list_page(number: int, size: int) -> Page[JobRecord]:
    total = await current_session().scalar(select(func.count()).select_from(Job))
    rows = await current_session().scalars(
        select(Job).order_by(Job.created_at.desc(), Job.id.desc()).offset(offset_of(number, size)).limit(size)
    )
    return Page([JobRecord.of(row) for row in rows], total or 0, number, size)


async def find_open(kind: str, arguments: dict[str, Any]) -> JobRecord | None:
    """One that waits or runs, with the same arguments."""
    rows = await current_session().scalars(select(Job).where(Job.kind == kind, Job.state.not_in(OVER)))
    return next((JobRecord.of(row) for row in rows if row.arguments == arguments), None)


async def has_due(kinds: Collection[str], at: datetime) -> bool:
    """Whether `take_due` would find a job: a read, so that idle workers lock nothing."""
    return bool(await current_session().scalar(select(exists().where(_is_due(kinds, at)))))


async def take_due(
    kinds: Collection[str], holder: str, at: datetime, held_until: datetime
) -> JobRecord | None:
    """Give the job that waits longest to this worker and count the try."""
    require_transaction()
    row = await current_session().scalar(
        select(Job)
        .where(_is_due(kinds, at))
        .order_by(Job.next_try_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.state = JobState.RUNNING
    row.holder = holder
    row.held_until = held_until
    row.tries += 1
    row.started_at = row.started_at or at
    await current_session().flush()
    return JobRecord.of(row)


async def extend(job: JobRecord, held_until: datetime) -> bool:
    """False if another worker has the job now."""
    return await changed(_held(job).values(held_until=held_until)) == 1


async def report(job: JobRecord, done: int, total: int | None, held_until: datetime) -> bool:
    """False if another worker has the job now."""
    return await changed(_held(job).values(done=done, total=total, held_until=held_until)) == 1


async def finish(job: JobRecord, result: dict[str, Any] | None, at: datetime) -> bool:
    return await changed(_ended(job, JobState.DONE, at).values(result=result, error="")) == 1


async def fail(job: JobRecord, error: str, at: datetime) -> bool:
    return await changed(_ended(job, JobState.FAILED, at).values(error=error[:300])) == 1


async def end_canceled(job: JobRecord, at: datetime) -> bool:
    return await changed(_ended(job, JobState.CANCELED, at)) == 1


async def put_off(job: JobRecord, next_try_at: datetime, error: str) -> bool:
    return await changed(_let_go(job, next_try_at).values(error=error[:300])) == 1


async def give_back(job: JobRecord, at: datetime) -> bool:
    """A worker that ends leaves its job to the others; the try does not count."""
    return await changed(_let_go(job, at).values(tries=job.tries - 1)) == 1


async def cancel_waiting(job_id: str, at: datetime) -> None:
    await changed(update(Job).where(Job.id == job_id).values(state=JobState.CANCELED, finished_at=at))


async def request_cancel(job_id: str) -> None:
    await changed(update(Job).where(Job.id == job_id).values(cancel_requested=True))


async def wait_again(job_id: str, at: datetime) -> None:
    """From the beginning, as if it had never been tried."""
    values = {
        "state": JobState.WAITING,
        "done": 0,
        "total": None,
        "tries": 0,
        "next_try_at": at,
        "cancel_requested": False,
        "result": None,
        "error": "",
        "started_at": None,
        "finished_at": None,
    }
    await changed(update(Job).where(Job.id == job_id).values(values))


async def forget(before: datetime) -> int:
    return await changed(delete(Job).where(Job.state.in_(OVER), Job.finished_at < before))


def _is_due(kinds: Collection[str], at: datetime) -> ColumnElement[bool]:
    """Waiting until now, or held by a worker that has not been heard of for too long."""
    waits = or_(Job.next_try_at <= at, Job.next_try_at > at + LONGEST_PAUSE)
    is_lost = or_(Job.held_until <= at, Job.held_until > at + LONGEST_LEASE)
    return and_(
        # A kind that this worker does not know belongs to a newer version of the site, or to an older one.
        Job.kind.in_(kinds),
        or_(and_(Job.state == JobState.WAITING, waits), and_(Job.state == JobState.RUNNING, is_lost)),
    )


def _held(job: JobRecord) -> Update:
    """Only while its worker has it; else nothing changes."""
    return update(Job).where(Job.id == job.id, Job.state == JobState.RUNNING, Job.holder == job.holder)


def _ended(job: JobRecord, state: JobState, at: datetime) -> Update:
    return _held(job).values(state=state, finished_at=at, holder=None, held_until=None)


def _let_go(job: JobRecord, next_try_at: datetime) -> Update:
    return _held(job).values(state=JobState.WAITING, next_try_at=next_try_at, holder=None, held_until=None)
