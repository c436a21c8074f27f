"""The page of jobs: what is under way, what came of it, and how to stop it or have it done again."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from server.accounts.models import Role
from server.audit.records import Actor
from server.catalog import service as catalog
from server.clock import now
from server.database.session import in_transaction, session_scope, transaction
from server.jobs import repository, service, worker
from server.jobs.models import JobState
from server.jobs.running import RunningJob
from server.jobs.service import Kind
from server.wiring import JOBS
from tests.conftest import Site
from tests.factories import course, entries_of, post, signed_in, stock_site


async def never(job: RunningJob) -> None:
    raise ValueError("no luck <today>")


@pytest_asyncio.fixture
async def admin(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    service.register([*JOBS, Kind("never", "Something", never, tries=1)])
    client, _ = await signed_in(site, Role.ADMIN, "ada")
    yield client
    service.register(JOBS)


async def enqueue(site: Site, actor: Actor) -> str:
    async with session_scope(site.app.ctx.sessions):
        return (await in_transaction(service.enqueue, actor, "never")).id


async def state_of(site: Site, job_id: str) -> JobState:
    async with session_scope(site.app.ctx.sessions):
        return (await service.get(job_id)).state


async def test_an_admin_has_sales_recounted_and_sees_what_came_of_it(
    site: Site, admin: httpx.AsyncClient
) -> None:
    await stock_site(site, [course("knife"), course("opera")])
    async with session_scope(site.app.ctx.sessions):
        knife = await catalog.get_any("knife")
        await catalog.recount_sales({knife.id: 7})

    before = (await admin.get("/admin/jobs")).text
    started = await post(admin, "/admin/jobs", page="/admin/jobs", kind="recount")
    waiting = (await admin.get("/admin/jobs")).text
    async with session_scope(site.app.ctx.sessions):
        await worker.run_waiting()
        counted = await catalog.get_any("knife")
    after = (await admin.get("/admin/jobs")).text

    assert "No jobs yet." in before
    assert (started.status_code, started.headers["location"]) == (303, "/admin/jobs")
    assert "Waiting" in waiting
    assert "ada" in waiting
    assert "Courses 2 · Put right 1" in after
    assert "Recount sales and lengths</td>" in after
    assert counted.sold_count == 0


async def test_an_admin_stops_a_job_and_has_it_begin_again(site: Site, admin: httpx.AsyncClient) -> None:
    job_id = await enqueue(site, Actor.command("import"))
    page = (await admin.get("/admin/jobs")).text
    assert "Command import" in page

    stopped = await post(admin, f"/admin/jobs/{job_id}/cancel")
    assert await state_of(site, job_id) is JobState.CANCELED
    stopped_again = await post(admin, f"/admin/jobs/{job_id}/cancel")
    again = await post(admin, f"/admin/jobs/{job_id}/again")
    assert await state_of(site, job_id) is JobState.WAITING
    too_early = await post(admin, f"/admin/jobs/{job_id}/again")

    answers = [answer.status_code for answer in (stopped, stopped_again, again, too_early)]
    assert answers == [303, 409, 303, 409]
    async with session_scope(site.app.ctx.sessions):
        acts = [(one.act, one.actor_kind.value) for one in await entries_of("job", job_id)]
    assert acts == [("job.start", "command"), ("job.cancel", "staff"), ("job.try_again", "staff")]


async def test_a_job_that_failed_tells_why(site: Site, admin: httpx.AsyncClient) -> None:
    await enqueue(site, Actor.job("sweep"))
    async with session_scope(site.app.ctx.sessions):
        await worker.run_waiting()

    page = (await admin.get("/admin/jobs")).text

    assert "ValueError: no luck &lt;today&gt;" in page
    assert "Try again" in page
    assert "Job sweep" in page


async def test_a_running_job_shows_how_far_it_got_and_that_it_is_stopping(
    site: Site, admin: httpx.AsyncClient
) -> None:
    job_id = await enqueue(site, Actor.job("sweep"))
    async with session_scope(site.app.ctx.sessions), transaction():
        at = now()
        taken = await repository.take_due(["never"], "a worker", at, at + repository.LONGEST_LEASE)
        assert taken is not None
        await repository.report(taken, 3, 12, at + repository.LONGEST_LEASE)

    running = (await admin.get("/admin/jobs")).text
    await post(admin, f"/admin/jobs/{job_id}/cancel")
    stopping = (await admin.get("/admin/jobs")).text

    assert 'max="100" value="25"' in running
    assert "3 of 12" in running
    assert "Stopping" in stopping
    assert f"/admin/jobs/{job_id}/cancel" not in stopping


async def test_no_job_with_arguments_and_none_that_is_unknown_is_started_from_the_page(
    admin: httpx.AsyncClient,
) -> None:
    assert (await post(admin, "/admin/jobs", kind="never")).status_code == 404
    assert (await post(admin, "/admin/jobs", kind="none")).status_code == 404
