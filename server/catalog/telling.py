"""What the audit is told of a course: ids, prices and states; of a text only that it changed."""

from collections.abc import Mapping
from typing import Any

from server.catalog.records import CourseRecord, LectureDraft, LectureRecord

TEXTS = ("title", "promise", "description", "learn", "teacher_name", "teacher_bio", "questions")

Facts = dict[str, Any]


def price_facts(prices: Mapping[str, int]) -> Facts:
    return {f"price.{currency}": amount for currency, amount in prices.items()}


def course_facts(course: CourseRecord) -> Facts:
    return {
        "slug": course.slug,
        "category": course.category_id,
        "level": course.level.value,
        "cover": course.cover,
        **price_facts({price.currency: price.amount for price in course.prices}),
    }


def course_change(before: CourseRecord, after: CourseRecord) -> tuple[Facts, Facts] | None:
    """The facts that differ, each side's, and the names of the texts that do; None: nothing does."""
    return _difference(
        course_facts(before),
        course_facts(after),
        [name for name in TEXTS if getattr(before, name) != getattr(after, name)],
    )


def lecture_facts(lecture: LectureRecord | LectureDraft) -> Facts:
    return {
        "video": lecture.media_content_key,
        "duration_s": lecture.duration_s,
        "is_preview": lecture.is_preview,
    }


def lecture_change(before: LectureRecord, after: LectureDraft, section_id: str) -> tuple[Facts, Facts] | None:
    return _difference(
        {"section": before.section_id, **lecture_facts(before)},
        {"section": section_id, **lecture_facts(after)},
        ["title"] if before.title != after.title else [],
    )


def _difference(before: Facts, after: Facts, texts: list[str]) -> tuple[Facts, Facts] | None:
    old, new = (
        {name: value for name, value in one.items() if name not in other or other[name] != value}
        for one, other in ((before, after), (after, before))
    )
    if texts:
        new["texts"] = texts
    return (old, new) if old or new else None
