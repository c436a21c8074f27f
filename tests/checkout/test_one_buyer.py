"""Whose orders are one person's: told by the database and by two records in the same way."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from server.access import repository as viewers
from server.checkout import paid_twice, repository
from server.checkout.models import Order, OrderKey
from server.checkout.records import OrderRecord
from server.clock import now
from server.database.session import current_session, transaction


@dataclass(frozen=True)
class Made:
    """In whose hands an order is; of which guest's browser it was; where *Pay* was pressed."""

    viewer: str
    order_key: str | None
    pressed: str | None

    @classmethod
    def by_guest(cls, browser: str) -> "Made":
        return cls(browser, browser, browser)

    @classmethod
    def by_account(cls, account: str, browser: str | None) -> "Made":
        """No browser: older than the column."""
        return cls(account, None, browser)

    @classmethod
    def claimed(cls, account: str, browser: str) -> "Made":
        return cls(account, browser, browser)


VERA, OMAR = "vera", "omar"
PHONE, LAPTOP = "phone", "laptop"


async def add(made: Made, number: str) -> OrderRecord:
    """A pending order of nothing: only whose it is matters."""
    order = Order(
        id=number,
        number=number,
        viewer_id=made.viewer,
        order_key_id=made.order_key,
        pressed_key_id=made.pressed,
        email=f"{number}@mail.example",
        email_key=f"{number}@mail.example",
        locale="en",
        ip_mac="",
        currency="KRW",
        amount=0,
        quote_digest="",
        created_at=now(),
    )
    current_session().add(order)
    await current_session().flush()
    return await repository.look(order.id)


async def finds(one: OrderRecord, other: OrderRecord) -> bool:
    of_buyer = repository.of_one_buyer(one.viewer_id, one.pressed_key_id)
    return other.id in set(await current_session().scalars(select(Order.id).where(of_buyer)))


@pytest.mark.parametrize(
    ("one", "other", "are_one_buyers"),
    [
        pytest.param(Made.by_guest(PHONE), Made.by_guest(PHONE), True, id="guest, same browser"),
        pytest.param(Made.by_guest(PHONE), Made.by_guest(LAPTOP), False, id="guests, two browsers"),
        pytest.param(Made.by_guest(PHONE), Made.by_account(VERA, PHONE), True, id="guest and account there"),
        pytest.param(
            Made.by_guest(PHONE), Made.by_account(VERA, LAPTOP), False, id="guest, account elsewhere"
        ),
        pytest.param(Made.by_account(VERA, PHONE), Made.by_account(VERA, LAPTOP), True, id="one account"),
        pytest.param(Made.by_account(VERA, PHONE), Made.by_account(OMAR, PHONE), False, id="two accounts"),
        pytest.param(Made.by_account(VERA, None), Made.by_account(VERA, PHONE), True, id="older order"),
        pytest.param(
            Made.by_account(VERA, None), Made.by_account(OMAR, None), False, id="older orders of two"
        ),
        pytest.param(Made.by_account(VERA, None), Made.by_guest(PHONE), False, id="older order and guest"),
        pytest.param(Made.claimed(VERA, PHONE), Made.by_guest(PHONE), True, id="claimed, guest there"),
        pytest.param(Made.claimed(VERA, PHONE), Made.by_guest(LAPTOP), False, id="claimed, guest elsewhere"),
        pytest.param(
            Made.claimed(VERA, PHONE), Made.by_account(VERA, LAPTOP), True, id="claimed, same account"
        ),
        pytest.param(
            Made.claimed(VERA, PHONE), Made.by_account(OMAR, PHONE), False, id="claimed, other account"
        ),
        pytest.param(Made.claimed(VERA, PHONE), Made.claimed(OMAR, PHONE), False, id="claimed by two"),
        pytest.param(Made.claimed(VERA, PHONE), Made.claimed(VERA, LAPTOP), True, id="both claimed by one"),
    ],
)
async def test_the_database_and_two_records_agree_on_who_is_one_buyer(
    session: None, one: Made, other: Made, are_one_buyers: bool
) -> None:
    async with transaction():
        for viewer in (VERA, OMAR, PHONE, LAPTOP):
            await viewers.add_viewer(viewer, now())
        current_session().add_all(OrderKey(id=browser, created_at=now()) for browser in (PHONE, LAPTOP))
        await current_session().flush()
        first, second = await add(one, "one"), await add(other, "other")

    told = [
        await finds(first, second),
        await finds(second, first),
        paid_twice.is_of_one_buyer(first, second),
        paid_twice.is_of_one_buyer(second, first),
    ]

    assert told == [are_one_buyers] * 4
