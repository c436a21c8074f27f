"""Two tabs, two browsers, a page and the sweep at one order: nobody pays twice, nobody is forgotten."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from server.access import service as access
from server.access.models import Grant, GrantState, ViewerRow
from server.accounts import service as accounts
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.checkout import card_testing, payment_repository, sweep
from server.checkout import service as checkout
from server.checkout.models import Order, OrderStatus, Payment, PaymentStatus
from server.clock import now
from server.database.session import current_session, release, session_scope, transaction
from server.integrations.gateways import gateways
from server.integrations.stripe import StripeGateway
from server.integrations.stripe_facts import IntentState
from server.mail.models import Mail
from server.stripe_events.service import Outcome
from server.throttle.models import ThrottleCounter
from tests.conftest import Sandbox, Site
from tests.engines import on_mariadb
from tests.factories import (
    TESTER,
    create_account,
    eventually,
    intent_of,
    open_checkout,
    order_in,
    pay,
    post,
    sign_in,
    status_of,
)


async def intents_of(sandbox: Sandbox) -> dict[str, str]:
    """Every intent at Stripe that somebody could still pay or has paid, with its state."""
    await current_session().reset()
    gateway = gateways().stripe
    ids = list(await current_session().scalars(select(Payment.intent_id)))
    await current_session().reset()
    states = {intent: (await gateway.fetch_intent(intent)).status for intent in ids if intent}
    return {intent: status for intent, status in states.items() if status != "canceled"}


async def orders() -> list[Order]:
    await current_session().reset()
    return list(await current_session().scalars(select(Order).order_by(Order.created_at)))


async def bring_home(site: Site, email: str = "guest@mail.example") -> httpx.AsyncClient:
    """Another browser in which the link of this address is followed."""
    async with transaction():
        token = await accounts.issue_link(email, valid_for=timedelta(hours=1))
    phone = site.client()
    assert (await post(phone, f"/login/link/{token}")).status_code == 303
    return phone


async def test_two_tabs_in_two_currencies_leave_at_most_one_intent_to_pay_while_stripe_is_slow(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    desk = await open_checkout(browser)
    await sandbox.astripe("settings", api_delay_ms=300)

    await asyncio.gather(desk.press_pay(currency="KRW"), desk.press_pay(currency="USD"))

    await sandbox.astripe("settings", api_delay_ms=0)
    assert len(await intents_of(sandbox)) <= 1


async def test_a_guests_tab_and_a_signed_in_tab_leave_at_most_one_intent_to_pay(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await create_account()
    desk = await open_checkout(browser)
    await sandbox.astripe("settings", api_delay_ms=300)
    as_guest = asyncio.create_task(desk.press_pay(email="vera@mail.example"))
    await sign_in(browser)

    await asyncio.gather(as_guest, (await open_checkout(browser)).press_pay())

    await sandbox.astripe("settings", api_delay_ms=0)
    assert len(await intents_of(sandbox)) <= 1


async def test_a_rival_that_is_being_confirmed_is_waited_for_and_not_called_an_outage(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Stripe locks an intent while it is confirmed, and refuses to cancel it."""
    await order_in(browser, currency="KRW")
    await sandbox.astripe("settings", api_fail="lock_timeout", api_only="POST /v1/payment_intents/*/cancel")

    answer = await (await open_checkout(browser)).press_pay(currency="USD")

    await sandbox.astripe("settings", api_fail=None, api_only=None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "order_in_progress")


async def test_what_was_claimed_elsewhere_is_not_sold_again_to_the_browser_that_bought_it(
    browser: httpx.AsyncClient, sandbox: Sandbox, site: Site
) -> None:
    desk = await open_checkout(browser)
    await checkout.settle(await pay(sandbox, await order_in(browser)))
    await bring_home(site)

    answer = await desk.press_pay()
    page = await browser.get("/checkout/first-night")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "order_already_paid")
    assert page.status_code == 200
    assert "You bought this. It is in your account now." in page.text
    assert len(await orders()) == 1


async def test_what_an_address_bought_as_a_guest_is_not_sold_again_to_its_account(
    browser: httpx.AsyncClient, sandbox: Sandbox, site: Site
) -> None:
    await create_account("guest@mail.example")
    async with site.client() as laptop:
        await sign_in(laptop, "guest@mail.example")
        desk = await open_checkout(laptop)
        await checkout.settle(await pay(sandbox, await order_in(browser)))

        answer = await desk.press_pay()
        page = await laptop.get("/checkout/first-night")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "waits_in_mail")
    assert page.status_code == 409
    assert "Follow the link in the receipt" in page.text
    assert len(await orders()) == 1
    assert (await browser.get(f"/orders/{(await orders())[0].number}")).status_code == 200


async def test_two_guests_of_one_address_who_pay_at_once_are_seen(
    shop: Site, sandbox: Sandbox, site: Site
) -> None:
    async with site.client() as one, site.client() as other:
        intents = [await pay(sandbox, await order_in(client)) for client in (one, other)]
    await sandbox.astripe("settings", api_delay_ms=100)

    async def settle(intent: str) -> None:
        async with session_scope(site.app.ctx.sessions):
            await checkout.settle(intent)

    await asyncio.gather(*map(settle, intents))

    await current_session().reset()
    assert [order.status for order in await orders()] == [OrderStatus.PAID] * 2
    assert [alert.kind for alert in await alerts.open_alerts()] == [AlertKind.BOUGHT_TWICE]


class Slowly:
    """Lets something happen between an answer of Stripe and our use of it, the first time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str, meanwhile: Any) -> None:
        self._real = getattr(StripeGateway, method)
        self._meanwhile = meanwhile
        later = self

        async def slow(gateway: StripeGateway, *given: Any, **more: Any) -> IntentState:
            state: IntentState = await later._real(gateway, *given, **more)
            act, later._meanwhile = later._meanwhile, None
            if act:
                await act(state)
            return state

        monkeypatch.setattr(StripeGateway, method, slow)


async def test_an_order_that_the_sweep_cancels_under_a_press_is_not_paid_by_it(
    browser: httpx.AsyncClient, sandbox: Sandbox, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sandbox.astripe("settings", api_fail="drop")
    desk = await open_checkout(browser)
    assert (await desk.press_pay()).status_code == 503
    await sandbox.astripe("settings", api_fail=None)
    async with transaction():
        await current_session().execute(update(Payment).values(created_at=now() - timedelta(hours=25)))

    async def clean_up(_: IntentState) -> None:
        async with session_scope(site.app.ctx.sessions):
            async with transaction():
                await current_session().execute(update(Payment).values(next_check_at=now()))
            await sweep.run(at_once=True)

    Slowly(monkeypatch, "create_intent", clean_up)
    order = (await desk.press_pay()).json()

    assert list(await intents_of(sandbox)) == [intent_of(order)]
    assert [(one.status, one.number == order["order"]) for one in await orders()] == [
        (OrderStatus.CANCELED, False),
        (OrderStatus.PENDING, True),
    ]
    again = (await desk.press_pay()).json()
    assert again["order"] == order["order"]


async def test_a_press_with_another_address_does_not_take_over_an_order_that_is_just_paid(
    browser: httpx.AsyncClient, sandbox: Sandbox, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await open_checkout(browser)
    first = (await desk.press_pay("alice@mail.example")).json()

    async def other_tab_pays(_: IntentState) -> None:
        intent = await pay(sandbox, first)
        async with session_scope(site.app.ctx.sessions):
            await checkout.settle(intent)

    Slowly(monkeypatch, "fetch_intent", other_tab_pays)
    answer = await desk.press_pay("bob@mail.example")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "order_already_paid")
    (order,) = await orders()
    receipts = await current_session().scalars(select(Mail.recipient))
    assert [order.email, *receipts] == ["alice@mail.example"] * 2


async def test_of_many_polls_at_once_one_asks_stripe(
    browser: httpx.AsyncClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "SETTLE_AT_MOST_EVERY", timedelta(minutes=1))  # however slow the machine is
    order = await order_in(browser)
    async with transaction():
        await current_session().execute(update(Payment).values(looked_at=now() - timedelta(minutes=2)))
    path = f"/v1/payment_intents/{intent_of(order)}"
    before = len(sandbox.requests("GET", path))

    assert set(await asyncio.gather(*(status_of(browser, order) for _ in range(20)))) == {"pending"}

    assert len(sandbox.requests("GET", path)) == before + 1


async def test_a_poll_overtaken_by_another_one_of_the_same_moment_asks_nobody(
    browser: httpx.AsyncClient,
) -> None:
    """It had read its clock first and came to the row second: that was taken for a clock that is ahead."""
    await order_in(browser)
    payment_id = (await current_session().scalars(select(Payment.id))).one()
    at, pause = now() + timedelta(minutes=2), timedelta(seconds=2)
    clocks = [at, at - timedelta(milliseconds=1)]

    async with transaction():
        looks = [await payment_repository.claim_look(payment_id, clock, pause) for clock in clocks]

    assert looks == [True, False]


async def test_secrets_gathered_before_the_brake_close_at_their_next_declined_card(
    shop: Site, sandbox: Sandbox, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_testing, "DECLINES_PER_IP", 3)
    gathered = []
    for number in range(3):
        async with site.client() as client:
            gathered.append(await order_in(client, email=f"{number}@mail.example"))
    for order in gathered[:2]:
        await checkout.settle(await pay(sandbox, order, "pm_card_visa_chargeDeclined"))
    assert len(await intents_of(sandbox)) == 3

    await checkout.settle(await pay(sandbox, gathered[2], "pm_card_visa_chargeDeclined"))

    assert set(await intents_of(sandbox)) == {intent_of(order) for order in gathered[:2]}


async def test_a_canceled_intent_ends_its_payment_even_if_it_differs(
    browser: httpx.AsyncClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the buyer would find this payment, and its intent that cannot be paid, at every press."""
    order = await order_in(browser)
    real = StripeGateway.fetch_whole

    async def of_somebody(gateway: StripeGateway, intent_id: str) -> IntentState:
        return replace(await real(gateway, intent_id), customer="cus_somebody")

    await current_session().reset()
    await gateways().stripe.cancel_intent(intent_of(order))
    monkeypatch.setattr(StripeGateway, "fetch_whole", of_somebody)

    assert await checkout.settle(intent_of(order)) is Outcome.APPLIED
    assert list(await current_session().scalars(select(Payment.status))) == [PaymentStatus.CANCELED]


async def test_what_staff_close_while_a_dispute_is_won_stays_closed(
    browser: httpx.AsyncClient, sandbox: Sandbox, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await checkout.settle(await pay(sandbox, await order_in(browser)))
    async with transaction():
        await current_session().execute(update(Grant).values(state=GrantState.SUSPENDED))
    real = access.follow_payment

    async def after_staff(*given: Any, **more: Any) -> None:
        """Staff press *revoke* right after the settlement has begun."""
        revoked.set()
        await real(*given, **more)

    revoked = asyncio.Event()
    monkeypatch.setattr(access, "follow_payment", after_staff)

    async def revoke() -> None:
        await revoked.wait()
        async with session_scope(site.app.ctx.sessions):
            grant = (await current_session().scalars(select(Grant.id))).one()
            async with transaction():
                await access.revoke(TESTER, grant)

    (order,) = await orders()
    intent = (await current_session().scalars(select(Payment.intent_id))).one()
    await current_session().reset()
    assert intent is not None
    await asyncio.gather(checkout.settle(intent), revoke())

    await current_session().reset()
    assert (await current_session().scalars(select(Grant.state))).one() is GrantState.REVOKED
    assert order.status is OrderStatus.PAID


async def test_a_clock_that_was_ahead_stops_neither_the_sweep_nor_the_waiting_page(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    await pay(sandbox, order)
    in_a_year = now() + timedelta(days=365)
    async with transaction():
        await current_session().execute(update(Payment).values(looked_at=in_a_year, next_check_at=in_a_year))

    assert await status_of(browser, order) == "paid"

    async with transaction():
        await current_session().execute(
            update(Payment).values(status=PaymentStatus.CREATED, next_check_at=in_a_year)
        )
    assert len(await payment_repository.list_due(now(), now() + timedelta(hours=2), 10)) == 1


# Between the steps of one press


async def pressed_while_stripe_is_slow(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> asyncio.Task[httpx.Response]:
    """A press in dollars that waits for its new intent: it is placed, and has handed out nothing."""
    page = await open_checkout(browser)
    await sandbox.astripe("settings", api_delay_ms=1500, api_only="POST /v1/payment_intents")
    pressing = asyncio.create_task(page.press_pay(currency="USD"))

    async def is_placed() -> bool:
        await current_session().reset()
        found = await current_session().scalar(select(Order.id).where(Order.currency == "USD"))
        return found is not None

    await eventually(is_placed)
    return pressing


async def change(currency: str, **values: Any) -> None:
    async with transaction():
        await current_session().execute(update(Order).where(Order.currency == currency).values(**values))


async def test_a_rival_whose_secret_is_out_is_closed_before_another_secret_goes_out(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    won = await order_in(browser, currency="KRW")
    await change("KRW", status=OrderStatus.CANCELED)  # so that the press is placed without seeing it
    pressing = await pressed_while_stripe_is_slow(browser, sandbox)
    await change("KRW", status=OrderStatus.PENDING)

    answer = await pressing

    assert answer.status_code == 200
    await release()
    assert (await gateways().stripe.fetch_intent(intent_of(won))).status == "canceled"
    await current_session().reset()
    found = await current_session().execute(select(Order.currency, Order.status).order_by(Order.currency))
    assert found.all() == [("KRW", OrderStatus.CANCELED), ("USD", OrderStatus.PENDING)]


async def test_a_press_whose_order_was_ended_meanwhile_hands_out_nothing_of_it(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    pressing = await pressed_while_stripe_is_slow(browser, sandbox)
    await change("USD", status=OrderStatus.CANCELED, open_key=None)
    await current_session().reset()
    ended = (await current_session().scalars(select(Order.number))).one()

    answer = await pressing

    assert answer.status_code == 200
    assert answer.json()["order"] != ended
    told = [(event["type"], event["data"]["object"]["id"]) for event in sandbox.events()]
    made = {intent for kind, intent in told if kind == "payment_intent.created"}
    canceled = {intent for kind, intent in told if kind == "payment_intent.canceled"}
    assert made - canceled == {intent_of(answer.json())}


@on_mariadb
async def test_of_many_presses_of_one_buyer_one_holds_a_connection(
    site: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """While its lock is held by somebody else; on SQLite all writers queue without one."""
    page = await open_checkout(browser)
    first = await page.press_pay()
    pool = site.app.ctx.engine.sync_engine.pool

    async def all_but_one_wait() -> bool:
        await asyncio.sleep(0)
        hits = await current_session().scalar(select(func.max(ThrottleCounter.count)))
        return bool(hits == 6 and pool.checkedout() == 1)

    async with transaction():
        await access.lock_viewers(await current_session().scalars(select(ViewerRow.id)))
        pressing = [asyncio.create_task(page.press_pay()) for _ in range(5)]
        await eventually(all_but_one_wait, 2.5)
    answers = await asyncio.gather(*pressing)

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["order"] for answer in answers} == {first.json()["order"]}
