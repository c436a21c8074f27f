"""A job is done once, by whichever worker; it outlives errors and workers, and stops when somebody asks."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from annotated_types import Le
from sqlalchemy import update

from server.audit.records import Actor
from server.clock import now
from server.database.session import Sessions, current_session, in_transaction, session_scope, transaction
from server.errors import NotFound, TooMany
from server.jobs import leases, repository, service, worker
from server.jobs.models import Job, JobState
from server.jobs.records import JobRecord
from server.jobs.running import RunningJob
from server.jobs.service import Kind
from server.settings import Settings
from tests.conftest import environment_of
from tests.factories import entries_of, eventually
from tests.jobs.conftest import Ahead

pytestmark = pytest.mark.usefixtures("session")

Register = Callable[..., None]
Killed = Callable[[str], Awaitable[JobRecord]]
ADA = Actor.staff("ada0123456789abc")


async def count_to_three(job: RunningJob) -> dict[str, Any]:
    """Goes on where it was."""
    counted = []
    for number in range(job.done + 1, 4):
        counted.append(number)
        await job.report(number, 3)
    return {"counted": counted}


STEPS = Kind("steps", "Steps", count_to_three)


async def enqueue(kind: str = "steps", **arguments: Any) -> str:
    job = await in_transaction(service.enqueue, ADA, kind, arguments)
    return job.id


async def job_now(job_id: str) -> JobRecord:
    await current_session().reset()
    return await service.get(job_id)


async def make_due(**values: Any) -> None:
    async with transaction():
        await current_session().execute(update(Job).values({"next_try_at": now(), **values}))


async def acts(job_id: str) -> list[tuple[str, str]]:
    return [(entry.act, entry.actor_id) for entry in await entries_of("job", job_id)]


async def test_a_job_is_done_and_tells_what_came_of_it(kinds: Register) -> None:
    kinds(STEPS)
    job_id = await enqueue(until=3)

    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.result) == (JobState.DONE, {"counted": [1, 2, 3]})
    assert (job.done, job.total, job.tries, job.error) == (3, 3, 1, "")
    assert (job.arguments, job.actor, job.holder) == ({"until": 3}, ADA, None)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at
    assert await acts(job_id) == [("job.start", ADA.id)]


async def test_a_job_whose_transaction_was_rolled_back_is_not_done(kinds: Register) -> None:
    kinds(STEPS)

    with pytest.raises(TooMany):
        async with transaction():
            await service.enqueue(ADA, "steps")
            raise TooMany

    assert await worker.run_waiting() == 0


async def test_workers_that_look_at_once_do_each_job_once(kinds: Register, sessions: Sessions) -> None:
    done: list[str] = []

    async def note(job: RunningJob) -> None:
        done.append(job.id)
        await asyncio.sleep(0.02)

    kinds(Kind("note", "Note", note))
    jobs = {await enqueue("note") for _ in range(6)}

    async def work() -> int:
        async with session_scope(sessions):
            return await worker.run_waiting()

    begun = await asyncio.gather(*(work() for _ in range(3)))

    assert sorted(done) == sorted(jobs)
    assert sum(begun) == 6


async def test_a_job_that_fails_is_tried_again_after_growing_pauses_and_then_given_up(
    kinds: Register,
) -> None:
    async def fail(job: RunningJob) -> None:
        raise ValueError(f"no {job.arguments['what']}")

    kinds(Kind("failing", "Failing", fail, tries=4))
    job_id = await enqueue("failing", what="luck")
    pauses = []
    for _ in range(3):
        began = now()
        await worker.run_waiting()
        assert await worker.run_waiting() == 0
        job = await job_now(job_id)
        assert (job.state, job.error) == (JobState.WAITING, "ValueError: no luck")
        pauses.append(max(one for one in worker.PAUSES if job.next_try_at - one >= began))
        await make_due()

    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.tries, job.error) == (JobState.FAILED, 4, "ValueError: no luck")
    assert job.finished_at is not None
    assert pauses == sorted(worker.PAUSES)


async def test_a_third_party_that_is_away_leaves_no_traceback(
    kinds: Register, caplog: pytest.LogCaptureFixture
) -> None:
    async def wait_in_line(job: RunningJob) -> None:
        raise TooMany

    kinds(Kind("line", "Line", wait_in_line))
    await enqueue("line")

    await worker.run_waiting()

    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]


@pytest.fixture
def killed_worker(settings: Settings) -> Killed:
    """Has a process of its own begin with a job, and kills it in the middle."""

    async def begin_and_kill(job_id: str) -> JobRecord:
        environment = {**os.environ, **environment_of(settings)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.jobs.endless", env=environment
        )

        async def is_under_way() -> bool:
            assert process.returncode is None
            return (await job_now(job_id)).done == 1

        try:
            await eventually(is_under_way)
        finally:
            process.kill()
            await process.wait()
        return await job_now(job_id)

    return begin_and_kill


async def test_the_job_of_a_killed_worker_goes_on_elsewhere(
    kinds: Register, killed_worker: Killed, clock_is_ahead: Ahead
) -> None:
    kinds(STEPS)
    job_id = await enqueue()

    left = await killed_worker(job_id)
    early = await worker.run_waiting()
    clock_is_ahead(leases.term())
    await worker.run_waiting()

    job = await job_now(job_id)
    assert (left.state, left.done, left.tries) == (JobState.RUNNING, 1, 1)
    assert early == 0, "it may be alive"
    assert (job.state, job.tries, job.result) == (JobState.DONE, 2, {"counted": [2, 3]})


async def test_a_job_that_takes_every_worker_along_is_given_up(
    kinds: Register, killed_worker: Killed, clock_is_ahead: Ahead
) -> None:
    kinds(Kind("steps", "Steps", count_to_three, tries=1))
    job_id = await enqueue()
    await killed_worker(job_id)
    clock_is_ahead(leases.term())

    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.error) == (JobState.FAILED, "Every try ended with its worker.")


async def test_a_cancel_reaches_a_job_whose_worker_was_killed(
    kinds: Register, killed_worker: Killed, clock_is_ahead: Ahead
) -> None:
    kinds(STEPS)
    job_id = await enqueue()
    await killed_worker(job_id)
    await service.cancel(ADA, job_id)
    clock_is_ahead(leases.term())

    await worker.run_waiting()

    assert (await job_now(job_id)).state is JobState.CANCELED


async def test_a_running_job_stops_at_its_next_step_when_canceled(
    kinds: Register, sessions: Sessions
) -> None:
    steps: list[int] = []

    async def be_canceled(job: RunningJob) -> None:
        await job.report(1, 3)
        steps.append(1)
        async with session_scope(sessions):
            await service.cancel(ADA, job.id)
        await job.report(2)
        steps.append(2)

    kinds(Kind("stopping", "Stopping", be_canceled))
    job_id = await enqueue("stopping")

    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.done, steps) == (JobState.CANCELED, 2, [1])
    assert await acts(job_id) == [("job.start", ADA.id), ("job.cancel", ADA.id)]


async def test_a_job_that_fails_after_a_cancel_is_not_tried_again(
    kinds: Register, sessions: Sessions
) -> None:
    async def fail(job: RunningJob) -> None:
        async with session_scope(sessions):
            await service.cancel(ADA, job.id)
        raise TooMany

    kinds(Kind("failing", "Failing", fail))
    job_id = await enqueue("failing")

    await worker.run_waiting()

    assert (await job_now(job_id)).state is JobState.CANCELED


async def test_a_waiting_job_is_canceled_at_once_and_one_that_is_over_not_at_all(kinds: Register) -> None:
    kinds(STEPS)
    job_id = await enqueue()

    await service.cancel(ADA, job_id)

    assert await worker.run_waiting() == 0
    assert (await job_now(job_id)).state is JobState.CANCELED
    with pytest.raises(service.JobOver):
        await service.cancel(ADA, job_id)
    with pytest.raises(NotFound):
        await service.cancel(ADA, "none")


async def test_a_canceled_job_is_tried_again_from_its_beginning(kinds: Register) -> None:
    kinds(STEPS)
    job_id = await enqueue()
    await service.cancel(ADA, job_id)

    await service.try_again(ADA, job_id)
    with pytest.raises(service.JobNotOver):
        await service.try_again(ADA, job_id)
    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.tries, job.result) == (JobState.DONE, 1, {"counted": [1, 2, 3]})
    assert [act for act, _ in await acts(job_id)] == ["job.start", "job.cancel", "job.try_again"]
    with pytest.raises(service.JobNotOver):
        await service.try_again(ADA, job_id)


async def test_a_worker_that_ends_leaves_its_job_to_the_others_at_once(
    kinds: Register, sessions: Sessions
) -> None:
    begun = asyncio.Event()

    async def wait(job: RunningJob) -> None:
        begun.set()
        await asyncio.sleep(60)

    kinds(Kind("steps", "Steps", wait))
    job_id = await enqueue()

    async def work() -> None:
        async with session_scope(sessions):
            await worker.run_waiting()

    ending = asyncio.create_task(work())
    await begun.wait()
    ending.cancel()
    await asyncio.wait([ending])
    kinds(STEPS)
    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.tries) == (JobState.DONE, 1)


async def test_a_worker_that_was_frozen_changes_nothing_of_a_job_that_another_has(
    kinds: Register, sessions: Sessions, clock_is_ahead: Ahead, short_term: None
) -> None:
    reached: list[str] = []

    async def freeze(job: RunningJob) -> None:
        kinds(STEPS)
        clock_is_ahead(leases.term())
        async with session_scope(sessions):
            await worker.run_waiting()
        await asyncio.sleep(10)
        reached.append("the end")

    kinds(Kind("steps", "Steps", freeze))
    job_id = await enqueue()

    await worker.run_waiting()

    job = await job_now(job_id)
    assert (job.state, job.tries, job.result) == (JobState.DONE, 2, {"counted": [1, 2, 3]})
    assert reached == []


@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_clock_that_was_ahead_holds_no_job_up(
    kinds: Register, clock_is_ahead: Ahead, is_killed: bool
) -> None:
    kinds(STEPS)
    clock_is_ahead(timedelta(days=3))
    job_id = await enqueue()
    if is_killed:
        at = now() + timedelta(days=3)
        async with transaction():
            await repository.take_due(["steps"], "a dead one", at, at + leases.term())
    clock_is_ahead(timedelta(0))

    await worker.run_waiting()

    assert (await job_now(job_id)).state is JobState.DONE


def test_what_no_right_clock_writes_lies_beyond_every_pause() -> None:
    assert max(worker.PAUSES) < repository.LONGEST_PAUSE
    [longest] = [one.le for one in Settings.model_fields["lease_s"].metadata if isinstance(one, Le)]
    assert timedelta(seconds=float(str(longest))) < repository.LONGEST_LEASE


async def test_a_job_of_a_kind_that_this_worker_does_not_know_waits_for_another(kinds: Register) -> None:
    kinds(STEPS)
    job_id = await enqueue()

    kinds()
    assert await worker.run_waiting() == 0
    kinds(STEPS)
    await worker.run_waiting()

    assert (await job_now(job_id)).state is JobState.DONE


async def test_a_job_started_twice_by_hand_is_done_once(kinds: Register) -> None:
    kinds(Kind("steps", "Steps", count_to_three, needs_arguments=False))

    first = await service.start(ADA, "steps")
    second = await service.start(ADA, "steps")
    await worker.run_waiting()
    third = await service.start(ADA, "steps")

    assert first.id == second.id != third.id
    with pytest.raises(NotFound):
        await service.start(ADA, "none")


async def test_a_job_started_by_many_at_once_is_done_once(kinds: Register, sessions: Sessions) -> None:
    kinds(Kind("steps", "Steps", count_to_three, needs_arguments=False))

    async def press(_: int) -> str:
        async with session_scope(sessions):
            return (await service.start(ADA, "steps")).id

    started = []
    for _ in range(2):  # the first time ever, and again
        started.append(set(await asyncio.gather(*map(press, range(8)))))
        await worker.run_waiting()

    assert [len(ids) for ids in started] == [1, 1]
    assert started[0].isdisjoint(started[1])
    assert (await service.list_jobs(1)).total == 2


async def test_a_job_is_not_begun_again_beside_a_newer_one_that_was_started_by_hand(kinds: Register) -> None:
    kinds(Kind("steps", "Steps", count_to_three, needs_arguments=False))
    older = await service.start(ADA, "steps")
    await service.cancel(ADA, older.id)
    newer = await service.start(ADA, "steps")

    with pytest.raises(service.JobNotOver):
        await service.try_again(ADA, older.id)

    await service.cancel(ADA, newer.id)
    await service.try_again(ADA, older.id)
    assert (await job_now(older.id)).state is JobState.WAITING


async def test_a_kind_with_arguments_is_not_started_by_hand(kinds: Register) -> None:
    kinds(STEPS)

    with pytest.raises(NotFound):
        await service.start(ADA, "steps")


async def test_jobs_that_ended_long_ago_are_forgotten(kinds: Register) -> None:
    kinds(STEPS)
    old = await enqueue()
    await worker.run_waiting()
    await make_due(finished_at=now() - timedelta(days=91))
    young, waiting = await enqueue(), await enqueue()
    await service.cancel(ADA, young)

    await service.forget_old()

    with pytest.raises(NotFound):
        await job_now(old)
    assert (await job_now(young)).state is JobState.CANCELED
    assert (await job_now(waiting)).state is JobState.WAITING
