"""Figures that are stored with the courses are counted anew, and nothing else of a course is touched."""

import httpx
import pytest
from sqlalchemy import update

from server.audit.records import Actor
from server.catalog import service as catalog
from server.catalog.models import Course
from server.checkout import sweep
from server.clock import now
from server.database.session import current_session, transaction
from server.jobs import service as jobs
from server.jobs import worker
from tests.conftest import Sandbox
from tests.factories import course, order_in, pay, stock


async def recount() -> dict[str, int]:
    job = await jobs.start(Actor.command("recount"), "recount")
    await worker.run_waiting()
    result = (await jobs.get(job.id)).result
    assert result is not None
    return result


@pytest.fixture
def others() -> list[str]:
    return ["knife", "opera", "verse"]


async def test_a_recount_puts_right_what_is_wrong_and_leaves_the_rest_as_it_is(
    browser: httpx.AsyncClient, sandbox: Sandbox, others: list[str]
) -> None:
    await stock(*(course(slug) for slug in others))
    await pay(sandbox, await order_in(browser))
    await sweep.run(at_once=True)
    untouched = await catalog.get_any("opera")
    async with transaction():
        wrong = update(Course).where(Course.slug.in_(["knife", "verse"]))
        await current_session().execute(wrong.values(duration_s=1, lecture_count=9, sold_count=5))

    first, second = await recount(), await recount()

    assert (first, second) == ({"courses": 4, "mended": 3}, {"courses": 4, "mended": 0})
    assert (await catalog.get_any("first-night")).sold_count == 1
    for slug in ("knife", "verse"):
        counted = await catalog.get_any(slug)
        assert (counted.lecture_count, counted.duration_s, counted.sold_count) == (2, 140, 0)
    assert await catalog.get_any("opera") == untouched


async def test_a_recount_that_was_broken_off_goes_on_behind_the_last_course(
    browser: httpx.AsyncClient, others: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await stock(*(course(slug) for slug in others))
    counted: list[str] = []
    count = catalog.recount_course

    async def break_off_once(course_id: str, sold: int) -> bool:
        counted.append(course_id)
        if len(counted) == 3:
            raise RuntimeError("a bad day")
        return await count(course_id, sold)

    monkeypatch.setattr(catalog, "recount_course", break_off_once)
    job = await jobs.start(Actor.command("recount"), "recount")
    await worker.run_waiting()
    broken_off = await jobs.get(job.id)
    monkeypatch.setattr(worker, "now", lambda: now() + max(worker.PAUSES))
    await worker.run_waiting()

    assert (broken_off.done, broken_off.total) == (2, 4)
    assert (await jobs.get(job.id)).done == 4
    assert len(counted) == 5
    assert len(set(counted)) == 4
