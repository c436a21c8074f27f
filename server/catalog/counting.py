"""Figures of a course that are stored beside it, counted anew: what is counted cannot drift."""

from collections.abc import Mapping

from server.catalog import repository
from server.database.session import in_transaction, transactional


async def recount_sales(sold: Mapping[str, int]) -> None:
    """Bring "most popular" into line with purchases per course id; a course not named has none."""
    stored = await repository.sold_counts()
    changed = {one: sold.get(one, 0) for one, count in stored.items() if count != sold.get(one, 0)}
    if changed:
        await in_transaction(repository.set_sold_counts, changed)


async def course_ids() -> list[str]:
    """Of every course, in an order that stays."""
    return sorted(await repository.sold_counts())


@transactional
async def recount_course(course_id: str, sold: int) -> bool:
    """Count the lectures of a course anew, their length, and its purchases: whether a figure was wrong."""
    course = await repository.lock_course(course_id)
    if course is None:
        return False
    stored = course.lecture_count, course.duration_s
    are_wrong = stored != await repository.count_lectures(course_id)
    if are_wrong:
        await repository.recount(course_id)
    if course.sold_count != sold:
        await repository.set_sold_counts({course_id: sold})
    return are_wrong or course.sold_count != sold
