"""Jobs that are done once: what kinds there are, and what people may do with one."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.audit import service as audit
from server.audit.records import Actor
from server.clock import now
from server.database.session import in_transaction, transactional
from server.errors import NotFound, PlaybillError
from server.i18n import N_
from server.jobs import lease_repository, repository
from server.jobs.models import JobState
from server.jobs.records import JobRecord
from server.jobs.running import RunningJob
from server.paging import Page
from server.tokens import new_id

JOBS_PER_PAGE = 50
KEPT_FOR = timedelta(days=90)
Result = Mapping[str, Any] | None


class JobOver(PlaybillError):
    status = 409
    code = "job_over"
    message = N_("This job has ended meanwhile.")


class JobNotOver(PlaybillError):
    status = 409
    code = "job_not_over"
    message = N_("This job is waiting or running already.")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job and the act that does it.

    `run` may be called again, after an error or when its worker was killed: what it has done by then must do
    no harm when done again. It calls `job.report` between its steps, and returns JSON values.
    """

    name: str
    label: str
    run: Callable[[RunningJob], Awaitable[Result]]
    tries: int = 3
    needs_arguments: bool = True  # else staff may start it from the page of jobs


_kinds: dict[str, Kind] = {}


def register(kinds: Iterable[Kind]) -> None:
    """Make these the kinds that this process knows; called once, by whoever starts it."""
    _kinds.clear()
    _kinds.update({kind.name: kind for kind in kinds})


def kinds() -> dict[str, Kind]:
    return _kinds


def startable() -> list[Kind]:
    """Those that staff may start without saying anything more."""
    return [kind for kind in _kinds.values() if not kind.needs_arguments]


async def enqueue(actor: Actor, kind: str, arguments: Mapping[str, Any] | None = None) -> JobRecord:
    """Have something done soon. In the caller's transaction: it is done if, and only if, that commits."""
    assert kind in _kinds, f"no kind of job is called {kind}"
    job_id = new_id()
    await repository.add(job_id, kind, dict(arguments or {}), actor, now())
    await audit.note(actor, "job.start", "job", job_id, after={"kind": kind})
    job = await repository.get(job_id)
    assert job is not None
    return job


@transactional
async def start(actor: Actor, kind: str) -> JobRecord:
    """Have a job without arguments done, unless one of its kind is under way; raises NotFound."""
    if not _is_startable(kind):
        raise NotFound
    return await _under_way(kind) or await enqueue(actor, kind)


def _is_startable(kind: str) -> bool:
    return kind in [one.name for one in startable()]


async def _under_way(kind: str) -> JobRecord | None:
    """Of two presses at once the second one waits here, and finds the job of the first."""
    await lease_repository.lock(f"start {kind}")
    return await repository.find_open(kind, {})


async def get(job_id: str) -> JobRecord:
    job = await repository.get(job_id)
    if job is None:
        raise NotFound
    return job


async def list_jobs(page_number: int) -> Page[JobRecord]:
    """Newest first."""
    return await repository.list_page(page_number, JOBS_PER_PAGE)


@transactional
async def cancel(actor: Actor, job_id: str) -> None:
    """A waiting job ends at once, a running one after the step that it is at. Raises NotFound, JobOver."""
    job = await _lock(job_id)
    if job.is_over:
        raise JobOver
    if job.state is JobState.WAITING:
        await repository.cancel_waiting(job_id, now())
    else:
        await repository.request_cancel(job_id)
    await audit.note(actor, "job.cancel", "job", job_id, before={"state": job.state.value})


@transactional
async def try_again(actor: Actor, job_id: str) -> None:
    """Have a failed or canceled job done from its beginning.

    Raises NotFound; JobNotOver, also where staff have started another one of its kind meanwhile.
    """
    job = await _lock(job_id)
    if job.state not in (JobState.FAILED, JobState.CANCELED):
        raise JobNotOver
    if _is_startable(job.kind) and await _under_way(job.kind):
        raise JobNotOver
    await repository.wait_again(job_id, now())
    await audit.note(actor, "job.try_again", "job", job_id, before={"state": job.state.value})


async def _lock(job_id: str) -> JobRecord:
    job = await repository.lock(job_id)
    if job is None:
        raise NotFound
    return job


async def forget_old() -> None:
    """Jobs that ended long ago, with what they were told."""
    await in_transaction(repository.forget, now() - KEPT_FOR)
