"""Figures that are stored with the courses, counted anew: hourly those of sales, all of them when asked."""

from server.catalog import service as catalog
from server.checkout import figures_repository
from server.i18n import N_
from server.jobs.running import RunningJob
from server.jobs.service import Kind


async def recount_sales() -> None:
    """Tell the catalog how often each course was sold; its order by popularity follows an hour behind."""
    await catalog.recount_sales(await figures_repository.sold_per_course())


async def recount(job: RunningJob) -> dict[str, int]:
    """Course by course; goes on behind the last one that was counted before."""
    sold = await figures_repository.sold_per_course()
    courses = await catalog.course_ids()
    mended = 0
    await job.report(job.done, len(courses))
    for course_id in courses[job.done :]:
        mended += await catalog.recount_course(course_id, sold.get(course_id, 0))
        await job.report(job.done + 1)
    return {"courses": len(courses), "mended": mended}


# After a restored backup, an import, or a release that counts otherwise.
RECOUNT = Kind("recount", N_("Recount sales and lengths"), recount, needs_arguments=False)
