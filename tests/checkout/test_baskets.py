"""An order holds a basket: several courses, one payment, each item with its own access and refund."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from server.access.models import Grant, GrantState
from server.access.records import Viewer
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.audit.records import Actor
from server.checkout import service as checkout
from server.checkout.errors import OrderAlreadyPaid, RefundUnclear
from server.checkout.models import Order, OrderItem, OrderStatus, Payment, RefundItem, RefundReason
from server.checkout.opening import Buyer, OpenOrder, Press
from server.clock import now
from server.database.session import current_session, release, transaction
from server.integrations.gateways import gateways
from server.tokens import new_token, order_key_id
from tests.conftest import Sandbox
from tests.factories import create_course, entries_of

SUPPORT = Actor.staff("support")
BOTH = ("first-night", "second-night")


@pytest.fixture
def buyer() -> Buyer:
    return Buyer(None, order_key_id(new_token()), "guest@mail.example", "127.0.0.1")


async def press(buyer: Buyer, *slugs: str, currency: str = "KRW") -> OpenOrder:
    await release()
    return await checkout.open_order(Press(buyer, slugs, currency))


async def pay(sandbox: Sandbox, opened: OpenOrder) -> str:
    assert opened.client_secret is not None
    intent = opened.client_secret.split("_secret_")[0]
    await sandbox.astripe(f"confirm/{intent}", card="pm_card_visa")
    await release()
    await checkout.settle(intent)
    return intent


async def refund_at_stripe(sandbox: Sandbox, intent: str, amount: int | None = None) -> None:
    await release()
    charge = (await gateways().stripe.fetch_whole(intent)).charges[0].id
    await sandbox.astripe(f"charges/{charge}/refund", **({"amount": amount} if amount else {}))
    await checkout.settle(intent)


async def states() -> dict[str, GrantState]:
    """By the slug of its course."""
    await current_session().reset()
    rows = await current_session().execute(
        select(OrderItem.course_slug, Grant.state).join(Grant, Grant.order_item_id == OrderItem.id)
    )
    return dict(rows.all())


async def test_a_basket_is_one_order_and_opens_every_course(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    await create_course("second-night")

    opened = await press(buyer, *BOTH)
    await pay(sandbox, opened)

    assert opened.amount == 66000
    assert await states() == dict.fromkeys(BOTH, GrantState.ACTIVE)
    order = await checkout.buyers_order(Viewer(None, buyer.order_key_id), opened.number)
    assert order.watch_path == "/learn"


async def test_the_same_courses_in_another_order_are_the_same_basket(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    await create_course("second-night")

    one = await press(buyer, *BOTH)
    other = await press(buyer, *reversed(BOTH))

    assert one == other


async def test_a_basket_and_one_of_its_courses_cannot_both_be_paid(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    await create_course("second-night")
    basket = await press(buyer, *BOTH)

    await pay(sandbox, await press(buyer, "second-night"))

    await current_session().reset()
    found = await current_session().execute(select(Order.number, Order.status))
    assert dict(found.all())[basket.number] is OrderStatus.CANCELED
    with pytest.raises(OrderAlreadyPaid):
        await press(buyer, *BOTH)
    assert (await press(buyer, "first-night")).amount == 33000


async def test_a_refund_of_the_whole_order_is_assigned_to_every_item(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    await create_course("second-night")
    opened = await press(buyer, *BOTH)
    await pay(sandbox, opened)

    await checkout.refund_order(opened.number, SUPPORT)

    assert await states() == dict.fromkeys(BOTH, GrantState.REVOKED)
    amounts = await current_session().scalars(select(RefundItem.amount))
    assert amounts.all() == [33000, 33000]


async def test_a_part_given_back_at_stripe_closes_no_course_until_it_is_all(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    await create_course("second-night")
    opened = await press(buyer, *BOTH)
    intent = await pay(sandbox, opened)

    await refund_at_stripe(sandbox, intent, 33000)
    after_a_part = await states()
    unassigned = [one.kind for one in await alerts.open_alerts()]
    partly = await checkout.get_order_for_staff(opened.number)
    sales = await checkout.sales_between(now() - timedelta(days=1), now() + timedelta(days=1))
    await checkout.refund_order(opened.number, SUPPORT)

    assert after_a_part == dict.fromkeys(BOTH, GrantState.ACTIVE)
    assert unassigned == [AlertKind.REFUND_UNASSIGNED]
    assert partly.given_back == 33000
    assert sales == [("KRW", 1, 33000)]
    assert await states() == dict.fromkeys(BOTH, GrantState.REVOKED)
    assert (await checkout.get_order_for_staff(opened.number)).status is OrderStatus.REFUNDED


async def test_what_is_owned_already_goes_back_alone(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    """Two confirmations crossed: of the basket only the course that was paid twice is refunded."""
    await create_course("second-night")
    basket = await press(buyer, *BOTH)
    async with transaction():
        await current_session().execute(update(Payment).values(secret_out_at=None))
    single = await press(buyer, "second-night")
    await pay(sandbox, single)

    await pay(sandbox, basket)

    order = await checkout.get_order_for_staff(basket.number)
    assert order.status is OrderStatus.PARTIALLY_REFUNDED
    assert {item.course_slug: item.refunded_amount for item in order.items} == {
        "first-night": 0,
        "second-night": 33000,
    }


async def paid_twice_in_part(sandbox: Sandbox, buyer: Buyer) -> OpenOrder:
    """A basket, of which the second course is to go back by itself while Stripe makes no refunds."""
    await create_course("second-night")
    basket = await press(buyer, *BOTH)
    async with transaction():
        await current_session().execute(update(Payment).values(secret_out_at=None))
    await pay(sandbox, await press(buyer, "second-night"))
    await sandbox.astripe("settings", api_fail="drop", api_only="POST /v1/refunds")
    await pay(sandbox, basket)
    await current_session().reset()
    return basket


async def test_staff_give_back_all_while_a_part_is_still_on_its_way_back(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    basket = await paid_twice_in_part(sandbox, buyer)
    await sandbox.astripe("settings", api_fail=None, api_only=None)

    await checkout.refund_order(basket.number, SUPPORT)

    order = await checkout.get_order_for_staff(basket.number)
    assert order.status is OrderStatus.REFUNDED
    assert [item.refunded_amount for item in order.items] == [33000, 33000]
    assert sorted(one.reason for one in order.refunds) == [RefundReason.PAID_TWICE, RefundReason.STAFF]
    entries = await entries_of("order", basket.number)
    told = {entry.actor_id: (entry.after or {})["amount"] for entry in entries}
    assert told == {"support": 33000, "settlement": 33000}


async def test_a_part_without_an_answer_is_not_said_to_be_given_back(
    browser: httpx.AsyncClient, sandbox: Sandbox, buyer: Buyer
) -> None:
    basket = await paid_twice_in_part(sandbox, buyer)

    with pytest.raises(RefundUnclear):
        await checkout.refund_order(basket.number, SUPPORT)
    asked = (await checkout.get_order_for_staff(basket.number)).asked_back
    await sandbox.astripe("settings", api_fail=None, api_only=None)
    await checkout.refund_order(basket.number, SUPPORT)

    order = await checkout.get_order_for_staff(basket.number)
    assert asked == order.given_back == order.amount == 66000
    assert len(order.refunds) == 2
