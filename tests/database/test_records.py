"""A record carries a relationship only if its query loaded it."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from server.catalog.models import Course, Section
from server.catalog.records import CourseRecord, SectionRecord
from server.database.records import NotLoaded
from server.database.session import current_session
from tests.factories import create_course
from tests.statements import Statements


async def section(*options: object) -> SectionRecord:
    await current_session().reset()
    rows = await current_session().scalars(select(Section).options(*options))  # type: ignore[arg-type]
    return SectionRecord.of(rows.one())


async def test_an_unloaded_relationship_names_the_loader_to_add(session: None) -> None:
    await create_course()
    record = await section()

    with pytest.raises(
        NotLoaded, match=r"SectionRecord\.lectures was not loaded.*selectinload\(….lectures\)"
    ):
        _ = record.lectures


async def test_an_unloaded_relationship_is_no_hidden_query(session: None) -> None:
    await create_course()
    record = await section()
    bound = current_session().bind

    with Statements.of(bound) as statements, pytest.raises(NotLoaded):  # type: ignore[arg-type]
        _ = record.lectures

    assert statements == []


async def test_a_loaded_relationship_is_a_list_of_records(session: None) -> None:
    await create_course()
    record = await section(selectinload(Section.lectures))

    assert [lecture.title["en"] for lecture in record.lectures] == ["Opening", "Behind the curtain"]
    assert not isinstance(record.lectures[0], type(Section.lectures))


async def test_a_record_does_not_change(session: None) -> None:
    await create_course()
    record = await section()

    with pytest.raises(ValidationError, match="frozen"):
        record.position = 2  # type: ignore[misc]


async def test_computed_fields_stand_beside_the_columns(session: None) -> None:
    await create_course()
    await current_session().reset()
    row = (await current_session().scalars(select(Course))).one()
    record = CourseRecord.of(row, prices=[], published_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (record.slug, record.prices) == ("first-night", [])


async def test_a_name_that_is_no_field_is_an_ordinary_error(session: None) -> None:
    await create_course()
    record = await section()

    with pytest.raises(AttributeError) as raised:
        _ = record.chapters  # type: ignore[attr-defined]
    assert not isinstance(raised.value, NotLoaded)
