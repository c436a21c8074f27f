"""What goes in comes out the same, on both engines."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from server.access.models import ViewerRow
from server.accounts.models import User
from server.catalog.models import Category
from server.database.session import current_session, transaction
from server.database.write import insert_once

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


async def add_user(number: int, email_key: str) -> bool:
    viewer_id = f"user-{number}"
    await insert_once(ViewerRow, {"id": viewer_id, "created_at": AT})
    return await insert_once(
        User, {"id": viewer_id, "email": email_key, "email_key": email_key, "created_at": AT}
    )


async def test_times_are_aware_and_exact_to_the_microsecond(session: None) -> None:
    seoul = AT.astimezone(timezone(timedelta(hours=9)))
    async with transaction():
        await insert_once(ViewerRow, {"id": "a", "created_at": seoul})

    found = (await current_session().scalars(select(ViewerRow.created_at))).one()

    assert found == AT
    assert found.tzinfo is UTC
    assert await current_session().scalar(select(ViewerRow.id).where(ViewerRow.created_at == seoul)) == "a"


async def test_a_time_without_a_zone_is_refused(session: None) -> None:
    with pytest.raises(StatementError, match="naive"):
        async with transaction():
            await insert_once(ViewerRow, {"id": "a", "created_at": AT.replace(tzinfo=None)})


async def test_korean_is_stored_as_korean(session: None) -> None:
    name = {"ko": "무대 뒤에서", "en": "Backstage 🎭"}
    async with transaction():
        await insert_once(Category, {"id": "a", "slug": "a", "name": name, "position": 1})

    assert await current_session().scalar(select(Category.name)) == name
    stored = str(await current_session().scalar(text("SELECT name FROM categories")))
    assert stored == '{"ko":"무대 뒤에서","en":"Backstage 🎭"}'


async def test_addresses_that_differ_in_an_accent_are_two_people(session: None) -> None:
    async with transaction():
        new = [await add_user(1, "jose@x.com"), await add_user(2, "josé@x.com")]

    found = await current_session().scalars(select(User.id).where(User.email_key == "jose@x.com"))
    assert (new, list(found)) == ([True, True], ["user-1"])


async def test_texts_are_compared_byte_by_byte(session: None) -> None:
    async with transaction():
        await add_user(1, "jose@x.com")

    found = await current_session().scalar(select(User.id).where(User.email_key == "JOSE@x.com"))
    assert found is None


async def test_an_address_belongs_to_one_account(session: None) -> None:
    async with transaction():
        new = [await add_user(1, "jose@x.com"), await add_user(2, "jose@x.com")]

    assert new == [True, False]


async def test_a_grown_up_row_needs_its_parent(session: None) -> None:
    with pytest.raises(IntegrityError):
        async with transaction():
            await insert_once(
                User, {"id": "orphan", "email": "a@x.com", "email_key": "a@x.com", "created_at": AT}
            )
