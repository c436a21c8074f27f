"""The SQL of sections and lectures."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager

from server.catalog.models import Lecture, Section
from server.catalog.records import LectureDraft, LectureRecord, SectionRecord, Texts
from server.database.base import Base
from server.database.session import current_session, require_transaction
from server.database.write import changed
from server.tokens import new_id


async def curriculum(course_id: str) -> list[SectionRecord]:
    statement = (
        select(Section)
        .outerjoin(Section.lectures)
        .options(contains_eager(Section.lectures))
        .where(Section.course_id == course_id)
        .order_by(Section.position, Section.id, Lecture.position, Lecture.id)
    )
    rows = await current_session().scalars(statement)
    return [SectionRecord.of(row) for row in rows.unique()]


async def get_lecture(lecture_id: str) -> LectureRecord | None:
    row = await current_session().scalar(select(Lecture).where(Lecture.id == lecture_id))
    return LectureRecord.of(row) if row else None


async def has_playable_lecture(course_id: str) -> bool:
    found = select(Lecture.id).where(Lecture.course_id == course_id, Lecture.media_content_key != "").limit(1)
    return await current_session().scalar(found) is not None


# --- writing


async def add_section(course_id: str, position: int, title: Texts) -> str:
    require_transaction()
    section_id = new_id()
    values = {"id": section_id, "course_id": course_id, "position": position, "title": title}
    await current_session().execute(insert(Section).values(values))
    return section_id


async def rename_section(section_id: str, title: Texts) -> None:
    await changed(update(Section).where(Section.id == section_id).values(title=title))


async def add_lectures(
    course_id: str, section_id: str, position: int, drafts: Sequence[LectureDraft]
) -> list[str]:
    """New lectures of a section from this place on; returns their ids."""
    require_transaction()
    rows = [
        {
            "id": new_id(),
            "course_id": course_id,
            "section_id": section_id,
            "position": position + place,
            "title": draft.title,
            "media_content_key": draft.media_content_key,
            "duration_s": draft.duration_s,
            "is_preview": draft.is_preview,
        }
        for place, draft in enumerate(drafts)
    ]
    if rows:
        await current_session().execute(insert(Lecture), rows)
    return [str(row["id"]) for row in rows]


async def replace_lecture(lecture_id: str, draft: LectureDraft) -> None:
    await changed(
        update(Lecture)
        .where(Lecture.id == lecture_id)
        .values(
            title=draft.title,
            media_content_key=draft.media_content_key,
            duration_s=draft.duration_s,
            is_preview=draft.is_preview,
        )
    )


async def put_lecture(lecture_id: str, section_id: str, position: int) -> None:
    """Into a section, at this place."""
    await changed(
        update(Lecture).where(Lecture.id == lecture_id).values(section_id=section_id, position=position)
    )


async def delete_section(section_id: str) -> bool:
    return await _delete(Section, section_id)


async def delete_lecture(lecture_id: str) -> bool:
    return await _delete(Lecture, lecture_id)


async def _delete(table: type[Section] | type[Lecture], row_id: str) -> bool:
    """False, and nothing changed, if other rows need this one: the foreign keys know them all."""
    require_transaction()
    try:
        async with current_session().begin_nested():
            await current_session().execute(delete(table).where(table.id == row_id))
    except IntegrityError:
        return False
    return True


async def place_sections(section_ids: Sequence[str]) -> None:
    """Give the sections the positions in which they stand here."""
    await _place(Section, section_ids)


async def place_lectures(lecture_ids: Sequence[str]) -> None:
    await _place(Lecture, lecture_ids)


async def _place(table: type[Base], ids: Sequence[str]) -> None:
    require_transaction()
    rows = [{"id": one, "position": position} for position, one in enumerate(ids)]
    if rows:
        await current_session().execute(update(table), rows)
