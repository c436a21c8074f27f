"""What the audit is told of a course: ids, prices and states; of a text only that it changed."""

from typing import Any

from server.catalog.records import CourseRecord, LectureDraft, LectureRecord

TEXTS = ("title", "promise", "description", "learn", "teacher_name", "teacher_bio", "questions")

Facts = dict[str, Any]


def course_facts(course: CourseRecord) -> Facts:
    return {
        "slug": course.slug,
        "category": course.category_id,
        "level": course.level.value,
        "cover": course.cover,
        "prices": {price.currency: price.amount for price in course.prices},
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
    names = [name for name in after if before[name] != after[name]]
    if not names and not texts:
        return None
    told = {name: after[name] for name in names} | ({"texts": texts} if texts else {})
    return {name: before[name] for name in names}, told
