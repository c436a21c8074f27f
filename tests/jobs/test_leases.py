"""One worker at a time, a killed one is succeeded, and no clock that was wrong stops anything."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from server.clock import now
from server.database.session import Sessions, current_session, session_scope, transaction
from server.jobs import leases
from server.jobs.leases import Hold, LeaseLost
from server.jobs.models import JobLease
from server.jobs.recurring import OncePerSite
from tests.jobs.conftest import Ahead

pytestmark = pytest.mark.usefixtures("session")

PAUSES = [timedelta(seconds=18), timedelta(hours=1)]


async def take(pause: timedelta, *, even_in_pause: bool = False) -> Hold | None:
    return await leases.take("tests", pause, even_in_pause=even_in_pause)


@pytest.mark.parametrize("pause", PAUSES)
async def test_what_is_held_or_was_just_done_is_not_begun_again(
    clock_is_ahead: Ahead, pause: timedelta
) -> None:
    hold = await take(pause)
    assert hold is not None
    assert await take(pause) is None
    assert await take(pause, even_in_pause=True) is None
    await hold.leave(pause)

    assert await take(pause) is None
    clock_is_ahead(pause - timedelta(seconds=2))
    assert await take(pause) is None, "an honest pause is believed"
    assert await take(pause, even_in_pause=True) is not None
    clock_is_ahead(pause + leases.term())
    assert await take(pause) is not None, "whoever held it is gone"


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("even_in_pause", [True, False])
@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_clock_that_was_ahead_for_one_run_stops_none_after_it(
    clock_is_ahead: Ahead, is_killed: bool, even_in_pause: bool, pause: timedelta
) -> None:
    clock_is_ahead(timedelta(days=3))
    hold = await take(pause)
    assert hold is not None
    if not is_killed:
        await hold.leave(pause)
    clock_is_ahead(timedelta(0))

    assert await take(pause, even_in_pause=even_in_pause) is not None


@pytest.mark.parametrize("pause", PAUSES)
async def test_clocks_that_differ_a_little_do_not_run_together(
    clock_is_ahead: Ahead, pause: timedelta
) -> None:
    clock_is_ahead(timedelta(seconds=15))
    assert await take(pause) is not None
    clock_is_ahead(timedelta(0))

    assert await take(pause) is None


async def test_of_many_workers_that_come_at_once_one_begins(sessions: Sessions) -> None:
    async def come() -> Hold | None:
        async with session_scope(sessions):
            return await take(timedelta(seconds=18))

    holds = await asyncio.gather(*(come() for _ in range(8)))

    assert len([hold for hold in holds if hold is not None]) == 1


async def test_whoever_lost_a_lease_changes_nothing_of_it(clock_is_ahead: Ahead) -> None:
    slow = await take(timedelta(0))
    clock_is_ahead(leases.term())
    quick = await take(timedelta(0))
    assert slow is not None
    assert quick is not None
    await quick.move_cursor("2")

    await slow.move_cursor("1")
    await slow.leave(timedelta(0))

    assert not await slow.renew()
    assert await quick.renew()
    assert await quick.cursor() == "2"


async def test_a_long_run_keeps_its_lease(short_term: None) -> None:
    others: list[bool] = []

    async def run_long(hold: Hold) -> None:
        for _ in range(3):
            await asyncio.sleep(leases.term().total_seconds() / 2)
            others.append(await OncePerSite("long", run_long, every_s=0).run())

    assert await OncePerSite("long", run_long, every_s=0).run()

    assert others == [False] * 3


async def test_a_run_whose_lease_is_lost_is_cut_off(short_term: None) -> None:
    """Its worker was frozen, or away from the database, and another one goes on with it."""
    reached: list[str] = []

    async def run_on(hold: Hold) -> None:
        async with transaction():
            theirs = update(JobLease).values(holder="another", until=now() + timedelta(minutes=1))
            await current_session().execute(theirs)
        await asyncio.sleep(10)
        reached.append("the end")

    with pytest.raises(LeaseLost):
        await OncePerSite("lost", run_on, every_s=0).run()

    assert reached == []


async def test_a_run_that_cannot_renew_its_lease_is_cut_off(short_term: None) -> None:
    async def renew() -> bool:
        raise ConnectionError("the database is away")

    with pytest.raises(LeaseLost):
        async with leases.kept(renew):
            await asyncio.sleep(10)


async def test_a_run_that_fails_gives_its_lease_back() -> None:
    async def fail(_: Hold) -> None:
        raise ValueError("a bad day")

    job = OncePerSite("failing", fail, every_s=20)
    for _ in range(2):
        with pytest.raises(ValueError, match="a bad day"):
            await job.run(at_once=True)
    assert not await job.run()


async def test_a_time_out_within_a_run_stays_a_time_out() -> None:
    async def run_late(_: Hold) -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await OncePerSite("late", run_late, every_s=0).run()
