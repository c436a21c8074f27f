"""What crosses all the same: of two charges of one buyer for one course the later goes back, once."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from server.access.models import Grant, GrantState
from server.accounts import service as accounts
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.catalog.models import Price
from server.checkout import payment_repository, sweep
from server.checkout import service as checkout
from server.checkout.models import Order, OrderStatus, Payment, Refund
from server.clock import now
from server.database.session import current_session, release, transaction
from server.integrations.gateways import gateways
from server.mail.models import Mail
from tests.conftest import Sandbox, Site
from tests.factories import (
    bought,
    create_account,
    create_course,
    entries_of,
    intent_of,
    open_checkout,
    order_in,
    pay,
    post,
    sign_in,
)


async def forget_that_secrets_are_out() -> None:
    """As if the cancel at Stripe had come too late: a confirmation was under way."""
    async with transaction():
        await current_session().execute(update(Payment).values(secret_out_at=None))


async def costs(amount: int) -> None:
    async with transaction():
        await current_session().execute(update(Price).where(Price.currency == "KRW").values(amount=amount))


async def settle_all(intents: list[str]) -> None:
    await current_session().reset()
    for intent in intents:
        await checkout.settle(intent)


async def orders() -> list[Order]:
    await current_session().reset()
    return list(await current_session().scalars(select(Order).order_by(Order.created_at)))


async def refunds() -> list[Refund]:
    await current_session().reset()
    return list(await current_session().scalars(select(Refund)))


def made_at_stripe(sandbox: Sandbox) -> int:
    return len([one for one in sandbox.events() if one["type"] == "refund.created"])


async def told(kind: AlertKind) -> int:
    await current_session().reset()
    return sum(alert.kind is kind for alert in await alerts.open_alerts())


async def cross(browser: httpx.AsyncClient, sandbox: Sandbox) -> list[str]:
    """Two payments of one buyer for one course, both confirmed."""
    won = await order_in(browser, currency="KRW")
    await forget_that_secrets_are_out()
    dollars = await order_in(browser, currency="USD")
    return [await pay(sandbox, won), await pay(sandbox, dollars)]


async def test_the_later_charge_goes_back_by_itself_and_buyer_and_staff_are_told(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    first, second = await cross(browser, sandbox)

    await settle_all([first, second])

    kept, returned = await orders()
    assert (kept.status, returned.status) == (OrderStatus.PAID, OrderStatus.REFUNDED)
    states = await current_session().execute(select(Grant.state).join(Order, Order.id == kept.id))
    assert GrantState.ACTIVE in states.scalars().all()
    assert await told(AlertKind.PAID_TWICE) == 1
    mails = await current_session().scalars(select(Mail).where(Mail.once_key.startswith("refund:")))
    (mail,) = mails.all()
    assert "paid for the same course twice" in mail.text
    assert "Access to the course is closed" not in mail.text
    entries = await entries_of("order", returned.number)
    assert [(one.actor_id, one.act) for one in entries] == [("settlement", "order.refund")]
    assert (await browser.get("/learn/first-night")).headers["location"].startswith("/learn/first-night/")


async def test_it_goes_back_once_however_often_both_are_settled(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    intents = await cross(browser, sandbox)

    await settle_all(intents * 3)
    await sweep.run(at_once=True)

    assert made_at_stripe(sandbox) == 1
    assert len(await refunds()) == 1


async def test_a_crash_before_stripe_was_asked_is_made_good_by_the_sweep(
    browser: httpx.AsyncClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = await cross(browser, sandbox)
    await sandbox.astripe("settings", api_fail="drop", api_only="POST /v1/refunds")
    await settle_all(intents)
    assert [one.status for one in await refunds()] == ["requested"]
    await sandbox.astripe("settings", api_fail=None, api_only=None)
    async with transaction():
        await current_session().execute(update(Refund).values(created_at=now() - timedelta(minutes=1)))

    await sweep.run(at_once=True)

    assert [one.status for one in await refunds()] == ["succeeded"]
    assert made_at_stripe(sandbox) == 1
    assert [one.status for one in await orders()] == [OrderStatus.PAID, OrderStatus.REFUNDED]


async def test_an_account_and_a_guest_in_one_browser_are_one_buyer(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await create_account()
    as_guest = await order_in(browser)
    await forget_that_secrets_are_out()
    await sign_in(browser)
    signed_in = await order_in(browser)

    await settle_all([await pay(sandbox, signed_in), await pay(sandbox, as_guest)])

    kept = {order.number: order.status for order in await orders()}
    assert kept == {signed_in["order"]: OrderStatus.PAID, as_guest["order"]: OrderStatus.REFUNDED}


async def test_what_is_paid_for_a_course_that_was_bought_for_nothing_goes_back(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """What cost nothing counts as bought, and cannot have been given back."""
    paid = await order_in(browser)
    await forget_that_secrets_are_out()
    await costs(0)
    free = await order_in(browser)

    await settle_all([await pay(sandbox, paid)])

    kept = {order.number: order.status for order in await orders()}
    assert kept == {free["order"]: OrderStatus.PAID, paid["order"]: OrderStatus.REFUNDED}
    assert [refund.amount for refund in await refunds()] == [33000]
    assert await told(AlertKind.PAID_TWICE) == 1


async def test_two_accounts_in_one_browser_are_two_people(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    for email in ("one@mail.example", "two@mail.example"):
        await create_account(email)
        await sign_in(browser, email)
        order = await order_in(browser)
        await settle_all([await pay(sandbox, order)])

    assert [one.status for one in await orders()] == [OrderStatus.PAID] * 2
    assert await refunds() == []


async def test_whoever_signs_out_with_the_banks_page_open_is_the_same_buyer(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await create_account()
    await sign_in(browser)
    signed_in = await order_in(browser)
    await post(browser, "/logout")
    as_guest = await order_in(browser)

    await settle_all([await pay(sandbox, as_guest)])

    closed = await gateways().stripe.fetch_intent(intent_of(signed_in))
    assert closed.status == "canceled"
    assert [one.status for one in await orders()] == [OrderStatus.CANCELED, OrderStatus.PAID]


async def test_what_an_account_bought_here_is_not_sold_again_after_signing_out(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await create_account()
    await sign_in(browser)
    page = await open_checkout(browser)
    await settle_all([await pay(sandbox, (await page.press_pay()).json())])
    await post(browser, "/logout")

    again = await page.press_pay()

    assert (again.status_code, again.json()["error"]["code"]) == (409, "order_already_paid")


async def test_signing_out_leaves_nothing_that_a_guest_bought_here(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    await settle_all([await pay(sandbox, order)])
    await create_account()
    await sign_in(browser)

    await post(browser, "/logout")

    assert (await browser.get(f"/orders/{order['order']}")).status_code == 404


async def test_what_a_bank_looks_into_is_not_sold_again(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    page = await open_checkout(browser)
    intent = await pay(sandbox, (await page.press_pay()).json())
    await settle_all([intent])
    charge = (await gateways().stripe.fetch_whole(intent)).charges[0].id
    await sandbox.astripe(f"charges/{charge}/dispute")
    await settle_all([intent])
    await release()

    again = await page.press_pay()
    shown = await browser.get("/checkout/first-night")

    assert (again.status_code, again.json()["error"]["code"]) == (409, "payment_disputed")
    assert shown.status_code == 409
    assert "your bank is looking into the payment" in shown.text


async def test_a_guest_elsewhere_who_typed_an_owners_address_is_left_to_staff(
    shop: Site, sandbox: Sandbox
) -> None:
    await bought(shop, sandbox, email="owner@mail.example")
    await bought(shop, sandbox, email="owner@mail.example")

    assert await refunds() == []
    assert await told(AlertKind.BOUGHT_TWICE) == 1


async def test_staff_hear_of_a_guest_elsewhere_who_pays_for_what_the_same_address_has_for_nothing(
    shop: Site, sandbox: Sandbox
) -> None:
    await costs(0)
    await order_in(shop.client(), email="owner@mail.example")
    await costs(33000)

    await bought(shop, sandbox, email="owner@mail.example")

    assert await refunds() == []
    assert await told(AlertKind.BOUGHT_TWICE) == 1


async def test_who_was_refunded_or_lost_access_may_buy_again_and_keeps_it(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    first = await pay(sandbox, await order_in(browser))
    await settle_all([first])
    async with transaction():
        await current_session().execute(update(Grant).values(state=GrantState.REVOKED))

    await settle_all([await pay(sandbox, await order_in(browser))])

    assert await refunds() == []


async def test_a_second_success_of_one_order_goes_back_and_takes_nothing_away(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """An intent that was taken for lost (other keys for a while) is paid after its successor."""
    first = await order_in(browser)
    async with transaction():
        payment = (await current_session().scalars(select(Payment))).one()
        await payment_repository.cancel(payment.id, payment.intent_id)
    second = await order_in(browser)
    assert (first["order"], intent_of(first)) != (second["order"], intent_of(second))

    await settle_all([await pay(sandbox, second), await pay(sandbox, first)])

    (order,) = await orders()
    assert order.status is OrderStatus.PAID
    (refund,) = await refunds()
    assert (refund.status, refund.amount) == ("succeeded", 33000)
    assert (await current_session().scalars(select(Grant.state))).all() == [GrantState.ACTIVE]


async def test_a_press_closes_here_what_nobody_can_pay_yet_and_asks_stripe_nothing(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    won = await order_in(browser, currency="KRW")
    await forget_that_secrets_are_out()

    await order_in(browser, currency="USD")

    assert [one.status for one in await orders()] == [OrderStatus.CANCELED, OrderStatus.PENDING]
    assert sandbox.requests("POST", f"/v1/payment_intents/{intent_of(won)}/cancel") == []
    async with transaction():
        await current_session().execute(update(Payment).values(next_check_at=now()))
    await sweep.run(at_once=True)
    ended = sandbox.requests("POST", f"/v1/payment_intents/{intent_of(won)}/cancel")
    assert [one["status"] for one in ended] == [200]  # the sweep ends what is left at Stripe


# What a claim reveals


async def claim(site: Site, email: str) -> httpx.AsyncClient:
    async with transaction():
        token = await accounts.issue_link(email, valid_for=timedelta(hours=1))
    client = site.client()
    page = f"/login/link/{token}"
    assert (await post(client, page)).status_code == 303
    return client


async def test_a_claim_gives_the_later_purchase_back_if_it_was_not_watched(
    shop: Site, sandbox: Sandbox
) -> None:
    await create_account("vera@mail.example")
    async with shop.client() as laptop:
        await sign_in(laptop, "vera@mail.example")
        own = await order_in(laptop)
        intents = [await pay(sandbox, own)]
        await settle_all(intents)
    _, as_guest = await bought(shop, sandbox, email="vera@mail.example")

    await claim(shop, "vera@mail.example")
    async with transaction():
        await current_session().execute(update(Refund).values(created_at=now() - timedelta(minutes=1)))
    await sweep.run(at_once=True)

    kept = {order.number: order.status for order in await orders()}
    assert kept == {own["order"]: OrderStatus.PAID, as_guest["order"]: OrderStatus.REFUNDED}
    assert made_at_stripe(sandbox) == 1
    assert await told(AlertKind.PAID_TWICE) == 1


async def test_a_claim_leaves_a_later_purchase_that_was_watched_to_staff(
    shop: Site, sandbox: Sandbox
) -> None:
    for _ in range(2):
        guest, _ = await bought(shop, sandbox, email="vera@mail.example")
    watch = (await guest.get("/learn/first-night")).headers["location"]
    player = re.search(r'src="([^"]+/s\?[^"]+)"', (await guest.get(watch)).text)
    assert player
    address = player[1].replace("&amp;", "&")
    played = await sandbox.akollus("play", url=address, watch=[[0, 20]], rate=1)
    assert played["started"], played

    await claim(shop, "vera@mail.example")

    assert await refunds() == []
    assert await told(AlertKind.BOUGHT_TWICE) == 1


async def test_of_two_guest_purchases_that_a_claim_joins_the_later_goes_back(
    shop: Site, sandbox: Sandbox
) -> None:
    for _ in range(2):
        await bought(shop, sandbox, email="vera@mail.example")

    await claim(shop, "vera@mail.example")
    await claim(shop, "vera@mail.example")

    (refund,) = await refunds()
    assert (await told(AlertKind.PAID_TWICE), await told(AlertKind.BOUGHT_TWICE)) == (1, 0)
    earlier, later = await orders()
    assert (refund.order_id, refund.amount) == (later.id, later.amount)
    assert earlier.status is OrderStatus.PAID


async def test_a_claim_gives_back_what_was_paid_after_the_course_was_had_for_nothing(
    shop: Site, sandbox: Sandbox
) -> None:
    await costs(0)
    await order_in(shop.client(), email="vera@mail.example")
    await costs(33000)
    _, paid = await bought(shop, sandbox, email="vera@mail.example")

    await claim(shop, "vera@mail.example")

    (refund,) = await refunds()
    free, later = await orders()
    assert (later.number, refund.order_id, refund.amount) == (paid["order"], later.id, 33000)
    assert free.status is OrderStatus.PAID


async def test_a_claim_gives_nothing_back_for_a_later_purchase_that_cost_nothing(
    shop: Site, sandbox: Sandbox
) -> None:
    await bought(shop, sandbox, email="vera@mail.example")
    await costs(0)
    await order_in(shop.client(), email="vera@mail.example")

    await claim(shop, "vera@mail.example")

    assert await refunds() == []
    assert [order.status for order in await orders()] == [OrderStatus.PAID] * 2


async def test_orders_of_different_courses_are_no_rivals(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await create_course("second-night")
    one = await order_in(browser, "first-night")
    other = await order_in(browser, "second-night")

    await settle_all([await pay(sandbox, one), await pay(sandbox, other)])

    assert [order.status for order in await orders()] == [OrderStatus.PAID] * 2
    assert await refunds() == []
