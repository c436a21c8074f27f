"""Promises 1, 2, 3 and 5 where the money is settled."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from server.access import service as access
from server.access.models import Grant, GrantReason, GrantState
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.audit.records import Actor
from server.catalog import service as catalog
from server.checkout import card_testing, repository, settlement
from server.checkout import service as checkout
from server.checkout.errors import RefundUnclear
from server.checkout.models import Order, OrderStatus, Payment, PaymentStatus
from server.database.session import current_session, release, session_scope, transaction
from server.integrations.gateways import gateways
from server.integrations.stripe_facts import EventFact, IntentState
from server.mail.models import Mail
from server.stripe_events import service as events
from server.stripe_events.service import Outcome
from tests.conftest import Sandbox, Site
from tests.factories import (
    TESTER,
    bought,
    create_account,
    entries_of,
    eventually,
    intent_of,
    order_in,
    pay,
    status_of,
)

SUPPORT = Actor.staff("support")


async def grants() -> list[Grant]:
    await current_session().reset()
    return list(await current_session().scalars(select(Grant)))


async def mails(kind: str) -> list[Mail]:
    await current_session().reset()
    return list(await current_session().scalars(select(Mail).where(Mail.once_key.startswith(kind))))


async def status() -> OrderStatus:
    await current_session().reset()
    return (await current_session().scalars(select(Order.status))).one()


async def payments() -> list[PaymentStatus]:
    await current_session().reset()
    return list(await current_session().scalars(select(Payment.status).order_by(Payment.attempt)))


async def state_of(intent: str) -> IntentState:
    await current_session().reset()
    return await gateways().stripe.fetch_whole(intent)


def event(sandbox: Sandbox, kind: str) -> EventFact:
    found = sandbox.event(kind)
    thing = found["data"]["object"]
    intent = thing["id"] if thing["object"] == "payment_intent" else thing["payment_intent"]
    return EventFact(found["id"], kind, found["created"], False, intent, True)


async def _has_dispute(intent: str) -> bool:
    return bool((await state_of(intent)).disputes)


async def _has_failed_refund(intent: str) -> bool:
    return any(refund.status == "failed" for refund in (await state_of(intent)).refunds)


async def test_paid_means_in(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order)

    assert await checkout.settle(intent) is Outcome.APPLIED

    (grant,) = await grants()
    assert grant.state is GrantState.ACTIVE
    assert await status() is OrderStatus.PAID
    assert await checkout.count_paid_without_access() == 0
    answer = (await browser.get(f"/orders/{order['order']}/status")).json()
    assert answer == {"status": "paid", "watch_url": "/learn/first-night"}


async def test_paid_without_access_counts_an_item_that_has_no_grant(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await checkout.settle(await pay(sandbox, await order_in(browser)))
    async with transaction():
        await current_session().execute(Grant.__table__.delete())  # type: ignore[attr-defined]

    assert await checkout.count_paid_without_access() == 1


async def test_an_unpaid_intent_gives_nothing(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order, "pm_card_visa_chargeDeclined")

    await checkout.settle(intent)

    assert await grants() == []
    assert await status() is OrderStatus.PENDING
    assert await mails("receipt") == []


async def test_five_deliveries_of_one_event_have_one_effect(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await pay(sandbox, await order_in(browser))
    told = event(sandbox, "payment_intent.succeeded")

    outcomes = [await events.take(told) for _ in range(5)]

    assert outcomes == [Outcome.APPLIED] + [Outcome.DUPLICATE] * 4
    assert len(await grants()) == 1
    assert len(await mails("receipt")) == 1


async def test_parallel_settlements_have_one_effect(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    told = event(sandbox, "payment_intent.succeeded")

    async def one(given: EventFact | None) -> Outcome:
        async with session_scope(shop.app.ctx.sessions):
            return await checkout.settle(intent, given)

    outcomes = await asyncio.gather(*(one(told) for _ in range(3)), *(one(None) for _ in range(2)))

    assert outcomes.count(Outcome.DUPLICATE) == 2
    assert len(await grants()) == 1
    assert len(await mails("receipt")) == 1


async def test_a_full_refund_closes_access_and_is_told_once(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    await checkout.settle(intent)

    await checkout.refund_order(order["order"], SUPPORT)
    await checkout.settle(intent)

    (grant,) = await grants()
    assert grant.state is GrantState.REVOKED
    assert await status() is OrderStatus.REFUNDED
    assert len(await mails("refund")) == 1
    assert (await browser.get(f"/orders/{order['order']}/status")).json()["watch_url"] is None


async def test_a_refund_asked_for_twice_at_once_gives_money_back_once(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    await checkout.settle(intent)

    async def refund() -> None:
        async with session_scope(shop.app.ctx.sessions):
            await checkout.refund_order(order["order"], SUPPORT)

    results = await asyncio.gather(refund(), refund(), return_exceptions=True)

    assert any(result is None for result in results)
    state = await state_of(intent)
    assert sum(one.amount for one in state.refunds) == 33000


async def test_refund_before_success_ends_refunded_without_access(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    charge = (await state_of(intent)).charges[0].id
    await sandbox.astripe(f"charges/{charge}/refund")

    await events.take(event(sandbox, "charge.refunded"))
    await events.take(event(sandbox, "payment_intent.succeeded"))

    assert await status() is OrderStatus.REFUNDED
    assert [grant.state for grant in await grants()] == [GrantState.REVOKED]
    assert await mails("receipt") == []


async def test_replay_of_the_success_after_the_refund_opens_nothing(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    told = event(sandbox, "payment_intent.succeeded")
    await events.take(told)
    await checkout.refund_order(order["order"], SUPPORT)

    await events.take(told)
    await checkout.settle(intent)

    assert [grant.state for grant in await grants()] == [GrantState.REVOKED]


async def test_a_partial_refund_made_at_stripe_keeps_access(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    charge = (await state_of(intent)).charges[0].id
    await checkout.settle(intent)

    await sandbox.astripe(f"charges/{charge}/refund", amount=10000)
    await checkout.settle(intent)

    assert await status() is OrderStatus.PARTIALLY_REFUNDED
    assert [grant.state for grant in await grants()] == [GrantState.ACTIVE]


async def test_a_refund_that_fails_later_restores_access_and_alerts_staff(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order, "4000000000005126")
    await checkout.settle(intent)
    await checkout.refund_order(order["order"], SUPPORT)

    await eventually(lambda: _has_failed_refund(intent))
    await checkout.settle(intent)

    assert await status() is OrderStatus.PAID
    assert [grant.state for grant in await grants()] == [GrantState.ACTIVE]
    assert AlertKind.REFUND_FAILED in {alert.kind for alert in await alerts.open_alerts()}


@pytest.mark.parametrize(("won", "after"), [(True, GrantState.ACTIVE), (False, GrantState.REVOKED)])
async def test_a_dispute_suspends_and_its_end_decides(
    browser: httpx.AsyncClient, sandbox: Sandbox, won: bool, after: GrantState
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    charge = (await state_of(intent)).charges[0].id
    await checkout.settle(intent)

    await sandbox.astripe(f"charges/{charge}/dispute")
    await checkout.settle(intent)
    assert [grant.state for grant in await grants()] == [GrantState.SUSPENDED]

    dispute = (await state_of(intent)).disputes[0].id
    await sandbox.astripe(f"disputes/{dispute}/close", won=won)
    await checkout.settle(intent)
    assert [grant.state for grant in await grants()] == [after]


async def test_a_second_refund_after_a_failed_one_is_told_again(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order, "4000000000005126")
    await checkout.settle(intent)
    await checkout.refund_order(order["order"], SUPPORT)
    await eventually(lambda: _has_failed_refund(intent))
    await checkout.settle(intent)

    await checkout.refund_order(order["order"], SUPPORT)

    assert len(await mails("refund")) == 2


async def test_a_refund_without_an_answer_does_not_say_that_nothing_happened(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    await checkout.settle(intent)
    await sandbox.astripe("settings", api_fail="drop", api_only="POST /v1/refunds")
    with pytest.raises(RefundUnclear):
        await checkout.refund_order(order["order"], SUPPORT)
    await sandbox.astripe("settings", api_fail=None, api_only=None)

    await checkout.refund_order(order["order"], SUPPORT)

    state = await state_of(intent)
    assert sum(refund.amount for refund in state.refunds) == 33000


async def test_an_inquiry_suspends_nothing(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    intent = await pay(sandbox, await order_in(browser), "4000000000001976")

    await eventually(lambda: _has_dispute(intent))
    await checkout.settle(intent)

    state = await state_of(intent)
    assert [dispute.status for dispute in state.disputes] == ["warning_needs_response"]
    assert [grant.state for grant in await grants()] == [GrantState.ACTIVE]


@pytest.mark.parametrize("column", [{"amount": 32000}, {"currency": "USD"}, {"number": "OTHER-00000"}])
async def test_an_intent_that_differs_from_the_order_gives_an_alert_and_no_grant(
    browser: httpx.AsyncClient, sandbox: Sandbox, column: dict[str, Any]
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    async with transaction():
        await current_session().execute(update(Order).values(**column))

    outcome = await checkout.settle(intent)

    assert outcome is Outcome.DIFFERS
    assert await grants() == []
    (alert,) = await alerts.open_alerts()
    assert alert.kind is AlertKind.AMOUNT_DIFFERS


async def test_a_customer_whom_we_never_made_gives_an_alert_and_no_grant(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    intent = await pay(sandbox, await order_in(browser))
    await current_session().reset()
    known = await repository.version_by_intent(intent)
    assert known is not None
    state = replace(await state_of(intent), customer="cus_somebody")

    async with transaction():
        found = await settlement.apply(known, state, None)

    assert found.outcome is Outcome.DIFFERS
    assert await grants() == []
    (alert,) = await alerts.open_alerts()
    assert alert.facts["differs"] == ["customer"]


async def test_a_state_fetched_before_a_newer_one_was_applied_is_thrown_away(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """One worker fetches *succeeded* and is slow; another applies the refund meanwhile."""
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    await checkout.settle(intent)
    before = (await current_session().scalars(select(Order.version))).one()
    old = await repository.version_by_intent(intent)
    assert old is not None and old.version == before
    await current_session().reset()
    fetched = await state_of(intent)
    await checkout.refund_order(order["order"], SUPPORT)

    with pytest.raises(settlement.StaleState):
        async with transaction():
            await settlement.apply(old, fetched, None)

    assert [grant.state for grant in await grants()] == [GrantState.REVOKED]


async def test_what_staff_closed_no_payment_event_opens(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:

    intent = await pay(sandbox, await order_in(browser))
    await checkout.settle(intent)
    (grant,) = await grants()
    await current_session().reset()
    async with transaction():
        await access.revoke(TESTER, grant.id)

    await checkout.settle(intent)

    assert [grant.state for grant in await grants()] == [GrantState.REVOKED]


async def test_an_intent_of_another_shop_is_left_alone(shop: Site, session: None) -> None:
    await current_session().reset()
    gateway = gateways().stripe
    foreign = await gateway._client.v1.payment_intents.create_async(
        {"amount": 5000, "currency": "krw", "metadata": {"app": "another-shop"}}
    )

    assert await checkout.settle(foreign.id) is Outcome.NOT_OURS


async def test_an_intent_that_names_an_unknown_order_must_come_again(shop: Site, session: None) -> None:
    await current_session().reset()
    intent = await gateways().stripe.create_intent(
        order_number="AAAAA-BBBBB", attempt=1, tries=0, amount=33000, currency="KRW", quote_digest="x"
    )

    with pytest.raises(settlement.UnknownOrder):
        await checkout.settle(intent.id)


async def test_a_crash_before_the_intent_was_recorded_is_healed_by_settling(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    async with transaction():
        await current_session().execute(update(Payment).values(intent_id=None))
    intent = await pay(sandbox, order)

    await checkout.settle(intent)

    assert len(await grants()) == 1


async def test_too_many_declined_cards_close_the_intent(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    order = await order_in(browser)
    for _ in range(card_testing.MAX_DECLINES):
        intent = await pay(sandbox, order, "pm_card_visa_chargeDeclined")

    await checkout.settle(intent)

    assert (await state_of(intent)).status == "canceled"
    assert await payments() == [PaymentStatus.CANCELED]
    assert await status() is OrderStatus.PENDING  # its quote stands: whoever waits may try again
    entries = await entries_of("order", order["order"])
    assert [(one.actor_id, one.act) for one in entries] == [("card testing", "order.close_payment")]


async def test_whoever_waits_for_a_payment_that_was_canceled_is_told(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    waiting = (await browser.get(f"/orders/{order['order']}/status")).json()
    await release()
    await gateways().stripe.cancel_intent(intent_of(order))
    await checkout.settle(intent_of(order))

    told = (await browser.get(f"/orders/{order['order']}/status")).json()
    page = (await browser.get(f"/orders/{order['order']}")).text

    assert (waiting["status"], told["status"]) == ("pending", "unpaid")
    assert "This order is not paid" in page
    assert "js/order.js" not in page


async def test_bought_twice_is_told_to_staff_and_on_the_receipt_only(shop: Site, sandbox: Sandbox) -> None:
    account = await create_account("owner@mail.example")
    course = await catalog.get_any("first-night")
    async with transaction():
        await access.give(TESTER, account.id, course.id, GrantReason.GIFT)

    client, order = await bought(shop, sandbox, email="Owner@mail.example")
    page = await client.get(f"/orders/{order['order']}")

    assert {alert.kind for alert in await alerts.open_alerts()} == {AlertKind.BOUGHT_TWICE}
    (receipt,) = await mails("receipt")
    assert "You had this course already. Write to hello@" in receipt.text
    assert "had this course" not in page.text


async def test_the_status_poll_settles_by_itself(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    order = await order_in(browser)
    await pay(sandbox, order)
    async with transaction():  # as if the order had been made a while ago
        payment = (await current_session().scalars(select(Payment))).one()
        payment.looked_at -= timedelta(days=1)

    assert await status_of(browser, order) == "paid"


@pytest.mark.parametrize("part", [{}, {"amount": 10000}], ids=["all", "a part"])
async def test_a_refund_that_races_one_made_at_stripe_ends_refunded(
    browser: httpx.AsyncClient, sandbox: Sandbox, part: dict[str, int]
) -> None:
    """It was given back there, and no event of it has arrived."""
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    await checkout.settle(intent)
    charge = (await state_of(intent)).charges[0].id
    await sandbox.astripe(f"charges/{charge}/refund", **part)

    await checkout.refund_order(order["order"], SUPPORT)

    assert await status() is OrderStatus.REFUNDED
    assert sum(refund.amount for refund in (await state_of(intent)).refunds) == 33000
    assert [grant.state for grant in await grants()] == [GrantState.REVOKED]
