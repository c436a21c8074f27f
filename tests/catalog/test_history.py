"""What editors do to a course is written down: by whom, and what was before and after."""

from dataclasses import replace
from typing import Any

import pytest

from server.audit.records import Actor
from server.catalog import service as catalog
from server.catalog.errors import NoPrice
from server.catalog.models import Level
from server.catalog.records import CourseDraft, LectureDraft
from tests.factories import TESTER, category, course, entries_of, stock

pytestmark = pytest.mark.usefixtures("session")

EDITOR = Actor.staff("0123456789abcdef")
VIDEO = LectureDraft({"en": "Opening"}, "hBftp9d6", 70, is_preview=False)
Told = tuple[str, dict[str, Any], dict[str, Any]]


async def history(course_id: str) -> list[Told]:
    entries = await entries_of("course", course_id)
    assert {entry.actor_id for entry in entries} <= {EDITOR.id, TESTER.id}
    return [
        (entry.act.removeprefix("course."), entry.before, entry.after)
        for entry in entries
        if entry.actor_id == EDITOR.id
    ]


async def draft(**changes: Any) -> CourseDraft:
    await stock()
    names = ("title", "promise", "description", "teacher_name", "teacher_bio")
    made = CourseDraft(
        slug="new-course",
        category_id=(await category("kitchen")).id,
        level=Level.BEGINNER,
        learn=[],
        questions=[],
        cover=catalog.COVER_FALLBACK,
        prices={"KRW": 33000},
        **{name: {"en": name} for name in names},
    )
    return replace(made, **changes)


async def test_a_course_from_its_making_to_the_archive() -> None:
    made = await catalog.create_course(EDITOR, await draft())
    changed = await draft(level=Level.ADVANCED, promise={"ko": "약속"}, prices={"KRW": 44000, "USD": 3300})
    await catalog.edit_course(EDITOR, made.id, changed)
    await catalog.add_section(EDITOR, made.id, {"en": "Act one"})
    [section] = await catalog.curriculum(made.id)
    await catalog.add_lecture(EDITOR, made.id, section.id, VIDEO)
    await catalog.edit_course(EDITOR, made.id, replace(changed, promise={"en": "promise"}))
    await catalog.publish(EDITOR, made.id)
    await catalog.unpublish(EDITOR, made.id)
    await catalog.archive(EDITOR, made.id)

    created, edited, _, _, reworded, *turned = await history(made.id)
    facts = {"slug": "new-course", "category": made.category_id, "level": "beginner", "cover": made.cover}
    assert created == ("create", {}, facts | {"price.KRW": 33000})
    assert edited == (
        "edit",
        {"level": "beginner", "price.KRW": 33000},
        {"level": "advanced", "price.KRW": 44000, "price.USD": 3300, "texts": ["promise"]},
    )
    assert reworded == ("edit", {}, {"texts": ["promise"]})
    assert turned == [
        ("publish", {"status": "draft"}, {"status": "published"}),
        ("unpublish", {"status": "published"}, {"status": "draft"}),
        ("archive", {"status": "draft"}, {"status": "archived"}),
    ]


async def test_sections_and_lectures_name_the_part_that_was_changed() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    await catalog.add_section(EDITOR, knife.id, {"en": "Act two"})
    _, section = await catalog.curriculum(knife.id)
    await catalog.rename_section(EDITOR, knife.id, section.id, {"en": "Finale"})
    await catalog.move_section(EDITOR, knife.id, section.id, -1)
    await catalog.add_lecture(EDITOR, knife.id, section.id, VIDEO)
    await catalog.add_lecture(EDITOR, knife.id, section.id, VIDEO)
    lecture, _ = (await catalog.get_section(knife.id, section.id)).lectures
    await catalog.edit_lecture(EDITOR, knife.id, lecture.id, section.id, replace(VIDEO, duration_s=90))
    await catalog.move_lecture(EDITOR, knife.id, lecture.id, 1)
    await catalog.delete_lecture(EDITOR, knife.id, lecture.id)
    await catalog.add_section(EDITOR, knife.id, {"en": "Encore"})
    encore = (await catalog.curriculum(knife.id))[-1]
    await catalog.delete_section(EDITOR, knife.id, encore.id)

    part, one = {"section": section.id}, {"lecture": lecture.id}
    facts = {"video": "hBftp9d6", "duration_s": 70, "is_preview": False}
    told = await history(knife.id)
    assert told[:4] == [
        ("add_section", {}, part),
        ("rename_section", part, part | {"texts": ["title"]}),
        ("move_section", part | {"place": 2}, part | {"place": 1}),
        ("add_lecture", {}, one | part | facts),
    ]
    assert told[5:8] == [
        ("edit_lecture", one | {"duration_s": 70}, one | {"duration_s": 90}),
        ("move_lecture", one | {"place": 1}, one | {"place": 2}),
        ("delete_lecture", one | part | facts | {"duration_s": 90}, {}),
    ]
    assert told[9] == ("delete_section", {"section": encore.id}, {})


async def test_what_changes_nothing_is_no_act() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    [section] = await catalog.curriculum(knife.id)
    first = section.lectures[0]
    same = LectureDraft(first.title, first.media_content_key, first.duration_s, first.is_preview)
    await catalog.publish(EDITOR, knife.id)
    await catalog.rename_section(EDITOR, knife.id, section.id, section.title)
    await catalog.move_section(EDITOR, knife.id, section.id, 1)
    await catalog.edit_lecture(EDITOR, knife.id, first.id, section.id, same)
    await catalog.move_lecture(EDITOR, knife.id, first.id, -1)

    assert await history(knife.id) == []


async def test_what_is_refused_leaves_no_entry() -> None:
    made = await catalog.create_course(EDITOR, await draft(prices={}))
    with pytest.raises(NoPrice):
        await catalog.publish(EDITOR, made.id)

    assert [act for act, _, _ in await history(made.id)] == ["create"]


async def test_an_import_is_written_down_once_for_each_course() -> None:
    for _ in range(2):
        await stock(course("knife", prices={"KRW": 33000, "SEK": 3300}))
    knife = await catalog.get_any("knife")

    [entry] = await entries_of("course", knife.id)
    assert (entry.actor_id, entry.act) == (TESTER.id, "course.import")
    assert entry.after == {"slug": "knife", "status": "published", "price.KRW": 33000, "price.SEK": 3300}
    [entry] = await entries_of("category", knife.category_id)
    assert (entry.act, entry.after) == ("category.import", {"slug": "kitchen"})
