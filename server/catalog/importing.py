"""A whole catalog from a file: the shape of server/demo/catalog.json."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from server.audit import service as audit
from server.audit.records import Actor
from server.catalog import programme_repository, repository
from server.catalog.covers import COVER_FALLBACK, covers
from server.catalog.models import CourseStatus, Level
from server.catalog.prices import check_price
from server.catalog.records import CategoryRecord, CourseDraft, LectureDraft
from server.catalog.search import search_text
from server.catalog.telling import price_facts
from server.clock import now
from server.database.session import transactional
from server.settings import settings


@transactional
async def import_catalog(actor: Actor, data: Mapping[str, Any]) -> int:
    """Add the categories and courses that are not there yet (by slug); returns how many courses are new.

    What is there stays as it is, so that a second run does not undo an editor's work. Prices in
    currencies and texts in languages that the site does not offer are kept for the day it does.
    Raises what `check_price` raises.
    """
    for position, category in enumerate(data["categories"]):
        await _add_category(actor, category["slug"], category["name"], position)
    by_slug = {category.slug: category for category in await repository.list_categories()}
    return sum([await _add_course(actor, course, by_slug[course["category"]]) for course in data["courses"]])


async def _add_category(actor: Actor, slug: str, name: dict[str, str], position: int) -> None:
    if category_id := await repository.add_category(slug, name, position):
        await audit.note(actor, "category.import", "category", category_id, after={"slug": slug})


async def _add_course(actor: Actor, course: Mapping[str, Any], category: CategoryRecord) -> bool:
    draft = _draft(course, category.id)
    for currency, amount in draft.prices.items():
        check_price(currency, amount)
    course_id = await repository.add_course(
        draft,
        search_text((draft.title, draft.promise, draft.teacher_name, category.name)),
        status=CourseStatus(course["status"]),
        published_at=_published_at(course),
    )
    if course_id is None:
        return False
    await repository.add_prices(course_id, draft.prices)
    for position, section in enumerate(course["sections"]):
        section_id = await programme_repository.add_section(course_id, position, section["title"])
        lectures = [_lecture(lecture) for lecture in section["lectures"]]
        await programme_repository.add_lectures(course_id, section_id, 0, lectures)
    await repository.recount(course_id)
    told = {"slug": draft.slug, "status": course["status"], **price_facts(draft.prices)}
    await audit.note(actor, "course.import", "course", course_id, after=told)
    return True


def _draft(course: Mapping[str, Any], category_id: str) -> CourseDraft:
    return CourseDraft(
        slug=course["slug"],
        category_id=category_id,
        level=Level(course["level"]),
        title=course["title"],
        promise=course["promise"],
        description=course["description"],
        learn=course["learn"],
        teacher_name=course["teacher"]["name"],
        teacher_bio=course["teacher"]["bio"],
        questions=course["questions"],
        cover=course["cover"] if course["cover"] in covers() else COVER_FALLBACK,
        prices=course["prices"],
    )


def _lecture(lecture: Mapping[str, Any]) -> LectureDraft:
    return LectureDraft(
        title=lecture["title"],
        media_content_key=lecture["media_content_key"],
        duration_s=lecture["duration_s"],
        is_preview=lecture["preview"],
    )


def _published_at(course: Mapping[str, Any]) -> datetime | None:
    """The morning of the day given; a draft was never published."""
    if course["status"] == CourseStatus.DRAFT:
        return None
    if not (day := course.get("published_on")):
        return now()
    return datetime.combine(date.fromisoformat(day), time(9), settings().timezone).astimezone(UTC)
