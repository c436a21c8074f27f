"""A whole catalog from a file: the shape of server/demo/catalog.json."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from server.catalog import repository
from server.catalog.covers import COVER_FALLBACK, covers
from server.catalog.models import CourseStatus, Level
from server.catalog.prices import check_price
from server.catalog.search import search_text
from server.clock import now
from server.database.session import transaction
from server.settings import settings


async def import_catalog(data: Mapping[str, Any]) -> int:
    """Add the categories and courses that are not there yet (by slug); returns how many courses are new.

    What is there stays as it is, so that a second run does not undo an editor's work. Prices in
    currencies that the site does not offer are kept for the day it does. Raises what `check_price` raises.
    """
    async with transaction():
        for position, category in enumerate(data["categories"]):
            await repository.add_category(category["slug"], category["name"], position)
        by_slug = {category.slug: category for category in await repository.list_categories()}
        added = 0
        for course in data["courses"]:
            category = by_slug[course["category"]]
            added += await _add_course(course, category.id, category.name)
        return added


async def _add_course(course: Mapping[str, Any], category_id: str, category_name: dict[str, str]) -> bool:
    for currency, amount in course["prices"].items():
        check_price(currency, amount)
    teacher = course["teacher"]
    lengths = [lecture["duration_s"] for section in course["sections"] for lecture in section["lectures"]]
    course_id = await repository.add_course(
        slug=course["slug"],
        category_id=category_id,
        level=Level(course["level"]),
        status=CourseStatus(course["status"]),
        title=course["title"],
        promise=course["promise"],
        description=course["description"],
        learn=course["learn"],
        teacher_name=teacher["name"],
        teacher_bio=teacher["bio"],
        questions=course["questions"],
        cover=course["cover"] if course["cover"] in covers() else COVER_FALLBACK,
        search_text=search_text((course["title"], course["promise"], teacher["name"], category_name)),
        lecture_count=len(lengths),
        duration_s=sum(lengths),
        published_at=_published_at(course),
    )
    if course_id is None:
        return False
    await repository.add_prices(course_id, course["prices"])
    for position, section in enumerate(course["sections"]):
        section_id = await repository.add_section(course_id, position, section["title"])
        await repository.add_lectures(
            [
                {
                    "section_id": section_id,
                    "course_id": course_id,
                    "position": place,
                    "title": lecture["title"],
                    "media_content_key": lecture["media_content_key"],
                    "duration_s": lecture["duration_s"],
                    "is_preview": lecture["preview"],
                }
                for place, lecture in enumerate(section["lectures"])
            ]
        )
    return True


def _published_at(course: Mapping[str, Any]) -> datetime | None:
    """The morning of the day given; a draft was never published."""
    if course["status"] == CourseStatus.DRAFT:
        return None
    if not (day := course.get("published_on")):
        return now()
    return datetime.combine(date.fromisoformat(day), time(9), settings().timezone).astimezone(UTC)
