"""The only SQL on leases."""

from datetime import datetime

from sqlalchemy import exists, or_, select, update

from server.database.session import current_session
from server.database.write import changed, insert_once
from server.jobs.models import JobLease


async def take(
    name: str, holder: str, *, at: datetime, until: datetime, beyond: datetime, even_in_pause: bool
) -> bool:
    """Give the lease to `holder` if nobody has it; a pause that somebody left behind counts as theirs.

    An end that lies `beyond` was written by a clock that was wrong, and holds nobody up.
    """
    free = [JobLease.until.is_(None), JobLease.until <= at, JobLease.until > beyond]
    if even_in_pause:
        free.append(JobLease.holder.is_(None))
    take_it = update(JobLease).where(JobLease.name == name, or_(*free)).values(holder=holder, until=until)
    if await changed(take_it) == 1:
        return True
    # Nobody has ever had it, or somebody has it now: only the former is worth an insert.
    known = await current_session().scalar(select(exists().where(JobLease.name == name)))
    return not known and await insert_once(JobLease, {"name": name, "holder": holder, "until": until})


async def lock(name: str) -> None:
    """Until the transaction ends nobody else has this name; the row is made where there is none."""
    mine = update(JobLease).where(JobLease.name == name).values(holder=None)
    if await changed(mine) == 0 and not await insert_once(JobLease, {"name": name}):
        await changed(mine)  # another one made it just now


async def extend(name: str, holder: str, until: datetime) -> bool:
    """False if somebody else has it now."""
    mine = update(JobLease).where(JobLease.name == name, JobLease.holder == holder)
    return await changed(mine.values(until=until)) == 1


async def leave(name: str, holder: str, pause_until: datetime) -> None:
    mine = update(JobLease).where(JobLease.name == name, JobLease.holder == holder)
    await changed(mine.values(holder=None, until=pause_until))


async def move_cursor(name: str, holder: str, cursor: str) -> None:
    mine = update(JobLease).where(JobLease.name == name, JobLease.holder == holder)
    await changed(mine.values(cursor=cursor))


async def cursor(name: str) -> str | None:
    return await current_session().scalar(select(JobLease.cursor).where(JobLease.name == name))
