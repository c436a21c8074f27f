"""`insert_once` tells new from known and hides nothing else; `upsert` brings up to date."""

from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DataError, IntegrityError

from server.access.models import ViewerRow
from server.checkout.models import OrderKey
from server.database.session import TransactionMisuse, current_session, transaction
from server.database.write import changed, insert_once, upsert
from server.stripe_events.models import StripeEvent
from server.throttle.models import ThrottleCounter
from tests.database.support import add_counter, counters

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


async def test_the_first_insert_is_new_the_second_known(session: None) -> None:
    async with transaction():
        told = [await add_counter("a", 1), await add_counter("a", 2)]

    assert (told, await counters()) == ([True, False], {"a": 1})


async def test_a_known_key_does_not_end_the_transaction(session: None) -> None:
    async with transaction():
        await add_counter("a")
    async with transaction():
        await add_counter("before")
        known = await add_counter("a")
        await add_counter("after")

    assert not known
    assert set(await counters()) == {"a", "before", "after"}


async def test_a_missing_parent_is_raised_not_taken_for_known(session: None) -> None:
    with pytest.raises(IntegrityError):
        async with transaction():
            await insert_once(OrderKey, {"id": "nobody", "created_at": AT})


async def test_a_missing_value_is_raised_not_taken_for_known(session: None) -> None:
    with pytest.raises(IntegrityError):
        async with transaction():
            await insert_once(ViewerRow, {"id": "somebody", "created_at": None})


async def test_a_text_that_is_too_long_is_never_cut(session: None, database_engine: str) -> None:
    kind = "x" * 101
    event = {"id": "evt_1", "type": kind, "created_at": AT, "handled_at": AT}

    if database_engine == "mariadb":
        with pytest.raises(DataError):
            async with transaction():
                await insert_once(StripeEvent, event)
    else:  # knows no lengths: it is kept whole
        async with transaction():
            await insert_once(StripeEvent, event)
        assert await current_session().scalar(select(StripeEvent.type)) == kind


async def test_upsert_brings_up_to_date_and_keeps_what_is_only_for_new_rows(session: None) -> None:
    key = {"id": "evt_1"}
    later = AT.replace(year=2027)
    async with transaction():
        await upsert(StripeEvent, key, {"type": "a"}, only_new={"created_at": AT, "handled_at": AT})
    async with transaction():
        await upsert(StripeEvent, key, {"type": "b"}, only_new={"created_at": later, "handled_at": later})

    rows = (await current_session().execute(select(StripeEvent.type, StripeEvent.created_at))).all()
    assert [tuple(row) for row in rows] == [("b", AT)]


async def test_upsert_reckons_with_the_stored_value(session: None) -> None:
    for _ in range(3):
        async with transaction():
            await upsert(
                ThrottleCounter,
                {"key": "a", "window_start": 0},
                {"count": ThrottleCounter.count + 1},
                only_new={"count": 1},
            )

    assert await counters() == {"a": 3}


async def test_a_write_outside_a_transaction_is_refused(session: None) -> None:
    """SQLite would keep it, for a savepoint of its own commits, and MariaDB drop it."""
    for write in (
        partial(add_counter, "a"),
        partial(upsert, ThrottleCounter, {"key": "a", "window_start": 0}, {"count": 1}),
        partial(changed, update(ThrottleCounter).values(count=1)),
    ):
        with pytest.raises(TransactionMisuse):
            await write()

    assert await counters() == {}
