"""What editors do with the program of a course: its sections and lectures."""

from collections.abc import Sequence

from server.audit import service as audit
from server.audit.records import Actor
from server.catalog import programme_repository, repository
from server.catalog.editing import fit_for_sale, locked
from server.catalog.errors import LectureInUse, SectionInUse
from server.catalog.reading import curriculum, get_lecture
from server.catalog.records import LectureDraft, LectureRecord, SectionRecord, Texts
from server.catalog.telling import Facts, lecture_change, lecture_facts
from server.catalog.texts import kept, lecture_with_kept_texts
from server.database.session import transactional
from server.errors import NotFound

Change = tuple[Facts | None, Facts | None]  # before and after; None: it was not there

# --- sections


async def get_section(course_id: str, section_id: str) -> SectionRecord:
    """A section of this course with its lectures."""
    found = next((one for one in await curriculum(course_id) if one.id == section_id), None)
    if found is None:
        raise NotFound
    return found


@transactional
async def add_section(actor: Actor, course_id: str, title: Texts) -> None:
    """A new section at the end."""
    await locked(course_id)
    place = _next_place(await curriculum(course_id))
    section_id = await programme_repository.add_section(course_id, place, title)
    await _note(actor, "course.add_section", course_id, {"section": section_id}, (None, {}))


@transactional
async def rename_section(actor: Actor, course_id: str, section_id: str, title: Texts) -> None:
    await locked(course_id)
    section = await get_section(course_id, section_id)
    whole = kept(section.title, title)
    if section.title == whole:
        return
    await programme_repository.rename_section(section_id, whole)
    await _note(
        actor, "course.rename_section", course_id, {"section": section_id}, ({}, {"texts": ["title"]})
    )


@transactional
async def move_section(actor: Actor, course_id: str, section_id: str, step: int) -> None:
    """One place up (-1) or down (1); at the end of the list nothing happens."""
    await locked(course_id)
    ids = [section.id for section in await curriculum(course_id)]
    moved = _moved(ids, section_id, step)
    if moved == ids:
        return
    await programme_repository.place_sections(moved)
    await _note(
        actor, "course.move_section", course_id, {"section": section_id}, _places(section_id, ids, moved)
    )


@transactional
async def delete_section(actor: Actor, course_id: str, section_id: str) -> None:
    await locked(course_id)
    await get_section(course_id, section_id)
    if not await programme_repository.delete_section(section_id):
        raise SectionInUse
    await _note(actor, "course.delete_section", course_id, {"section": section_id}, ({}, None))


# --- lectures


async def get_lecture_of(course_id: str, lecture_id: str) -> LectureRecord:
    lecture = await get_lecture(lecture_id)
    if lecture is None or lecture.course_id != course_id:
        raise NotFound
    return lecture


@transactional
async def add_lecture(actor: Actor, course_id: str, section_id: str, draft: LectureDraft) -> None:
    """A new lecture at the end of a section."""
    await locked(course_id)
    place = _next_place((await get_section(course_id, section_id)).lectures)
    [lecture_id] = await programme_repository.add_lectures(course_id, section_id, place, [draft])
    await repository.recount(course_id)
    told = {"section": section_id, **lecture_facts(draft)}
    await _note(actor, "course.add_lecture", course_id, {"lecture": lecture_id}, (None, told))


@transactional
async def edit_lecture(
    actor: Actor, course_id: str, lecture_id: str, section_id: str, draft: LectureDraft
) -> None:
    """Replace a lecture's facts; in another section it goes to that section's end."""
    await locked(course_id)
    lecture = await get_lecture_of(course_id, lecture_id)
    section = await get_section(course_id, section_id)
    draft = lecture_with_kept_texts(lecture, draft)
    change = lecture_change(lecture, draft, section_id)
    if change is None:
        return
    await programme_repository.replace_lecture(lecture_id, draft)
    if lecture.section_id != section_id:
        await programme_repository.put_lecture(lecture_id, section_id, _next_place(section.lectures))
    await repository.recount(course_id)
    await fit_for_sale(course_id)
    await _note(actor, "course.edit_lecture", course_id, {"lecture": lecture_id}, change)


@transactional
async def move_lecture(actor: Actor, course_id: str, lecture_id: str, step: int) -> None:
    """One place up (-1) or down (1) within its section; at the end nothing happens."""
    await locked(course_id)
    lecture = await get_lecture_of(course_id, lecture_id)
    ids = [one.id for one in (await get_section(course_id, lecture.section_id)).lectures]
    moved = _moved(ids, lecture_id, step)
    if moved == ids:
        return
    await programme_repository.place_lectures(moved)
    await _note(
        actor, "course.move_lecture", course_id, {"lecture": lecture_id}, _places(lecture_id, ids, moved)
    )


@transactional
async def delete_lecture(actor: Actor, course_id: str, lecture_id: str) -> None:
    """Raises LectureInUse if anybody has played it: its progress must not vanish."""
    await locked(course_id)
    lecture = await get_lecture_of(course_id, lecture_id)
    if not await programme_repository.delete_lecture(lecture_id):
        raise LectureInUse
    await repository.recount(course_id)
    await fit_for_sale(course_id)
    told = {"section": lecture.section_id, **lecture_facts(lecture)}
    await _note(actor, "course.delete_lecture", course_id, {"lecture": lecture_id}, (told, None))


async def _note(actor: Actor, act: str, course_id: str, what: Facts, change: Change) -> None:
    """All of it is told of the course, with the part it was done to: a course's history is one list."""
    before, after = (None if facts is None else what | facts for facts in change)
    await audit.note(actor, act, "course", course_id, before=before, after=after)


def _next_place(rows: Sequence[SectionRecord] | Sequence[LectureRecord]) -> int:
    # Not their count: a deletion leaves a gap.
    return rows[-1].position + 1 if rows else 0


def _moved(ids: list[str], one: str, step: int) -> list[str]:
    """The same list with this one moved; the list itself stays."""
    if one not in ids:
        raise NotFound
    here = ids.index(one)
    there = min(max(here + step, 0), len(ids) - 1)
    rest = [other for other in ids if other != one]
    return [*rest[:there], one, *rest[there:]]


def _places(one: str, before: list[str], after: list[str]) -> tuple[Facts, Facts]:
    """Counted from 1, as a program is read."""
    return {"place": before.index(one) + 1}, {"place": after.index(one) + 1}
