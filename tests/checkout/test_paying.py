"""Pressing *Pay*: one order, one intent, one charge, whatever the buyer's fingers and tabs do."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from server.accounts.models import Role
from server.catalog import service as catalog
from server.catalog.models import Price
from server.checkout import opening, repository, sweep
from server.checkout import service as checkout
from server.checkout.models import Order, OrderStatus, Payment
from server.checkout.service import Buyer, Press
from server.clock import now
from server.database.session import current_session, transaction
from server.integrations.gateways import gateways
from tests.conftest import Sandbox, Site
from tests.factories import (
    TESTER,
    bought,
    create_account,
    create_course,
    csrf_of,
    intent_of,
    open_checkout,
    order_in,
    pay,
    sign_in,
    status_of,
)


async def count(table: type[Order] | type[Payment]) -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(table)) or 0


async def test_a_double_click_makes_one_order_and_one_intent(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)

    answers = await asyncio.gather(*(page.press_pay() for _ in range(4)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["client_secret"] for answer in answers}) == 1
    assert await count(Order) == await count(Payment) == 1
    made = sandbox.requests("POST", "/v1/payment_intents")
    assert len({one["headers"]["idempotency-key"] for one in made}) == 1


async def test_two_tabs_and_the_back_button_share_the_order(browser: httpx.AsyncClient) -> None:
    first = await order_in(browser)
    second = await order_in(browser)

    assert first == second


async def test_a_new_address_replaces_the_old_one(browser: httpx.AsyncClient) -> None:
    await order_in(browser, email="typo@mail.example")
    await order_in(browser, email="right@mail.example")

    await current_session().reset()
    assert (await current_session().scalars(select(Order.email))).all() == ["right@mail.example"]


async def test_another_browser_has_another_order(shop: Site, browser: httpx.AsyncClient) -> None:
    async with shop.client() as other:
        assert (await order_in(browser))["order"] != (await order_in(other))["order"]


async def test_won_are_sent_as_they_are_and_dollars_as_cents(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    won = await order_in(browser, currency="KRW")
    dollars = await order_in(browser, currency="USD")

    assert (won["amount"], won["currency"]) == (33000, "KRW")
    assert (dollars["amount"], dollars["currency"]) == (3300, "USD")
    sent = [one["params"] for one in sandbox.requests("POST", "/v1/payment_intents")]
    assert [(str(one["amount"]), one["currency"]) for one in sent] == [("33000", "krw"), ("3300", "usd")]


async def test_the_amount_is_never_taken_from_the_browser(browser: httpx.AsyncClient) -> None:
    page = await open_checkout(browser)
    answer = await browser.post(
        f"/checkout/{page.slug}/order",
        json={"email": "guest@mail.example", "currency": "KRW", "amount": 1},
        headers={"X-CSRF-Token": page.token},
    )

    assert answer.json()["amount"] == 33000


async def test_a_currency_without_a_price_is_refused(browser: httpx.AsyncClient) -> None:
    answer = await (await open_checkout(browser)).press_pay(currency="EUR")

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "currency_not_offered"


async def test_a_bad_address_names_the_field(browser: httpx.AsyncClient) -> None:
    answer = await (await open_checkout(browser)).press_pay(email="not an address")

    assert answer.status_code == 422
    assert set(answer.json()["error"]["fields"]) == {"email"}
    assert await count(Order) == 0


async def test_without_the_csrf_token_nothing_is_ordered(browser: httpx.AsyncClient) -> None:
    page = await open_checkout(browser)
    page.token = "forged"

    assert (await page.press_pay()).status_code == 403
    assert await count(Order) == 0


async def test_rubbish_instead_of_json_is_a_clear_400(browser: httpx.AsyncClient) -> None:
    page = await open_checkout(browser)
    answer = await browser.post(
        f"/checkout/{page.slug}/order",
        content=b"{nonsense",
        headers={"X-CSRF-Token": page.token, "Content-Type": "application/json"},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"]


async def test_pressing_again_after_the_money_went_through_charges_nothing(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    order = (await page.press_pay()).json()
    await pay(sandbox, order)

    answer = await page.press_pay()

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "order_already_paid"
    assert answer.json()["error"]["order"] == order["order"]
    again = await page.press_pay()
    assert (again.status_code, again.json()["error"]["code"]) == (409, "order_already_paid")
    assert await count(Order) == 1


async def test_who_owns_the_course_is_sent_to_it(shop: Site, sandbox: Sandbox) -> None:
    account = await create_account()
    async with shop.client() as client:
        await sign_in(client)
        order = await order_in(client)
        await pay(sandbox, order)
        assert (await client.get(f"/orders/{order['order']}/status")).status_code == 200
        token = csrf_of((await client.get("/account")).text)
        pressed = await client.post(
            "/checkout/first-night/order", json={"currency": "KRW"}, headers={"X-CSRF-Token": token}
        )
        assert pressed.json()["error"]["code"] == "order_already_paid"
        pressed = await client.post(
            "/checkout/first-night/order", json={"currency": "KRW"}, headers={"X-CSRF-Token": token}
        )
        assert pressed.json()["error"]["code"] == "already_owned"
        opened = await client.get("/checkout/first-night")
        assert (opened.status_code, opened.headers["location"]) == (303, "/learn/first-night")
    assert account.email == "vera@mail.example"


async def test_a_changed_price_makes_a_new_order_and_cancels_the_old_intent(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    old = await order_in(browser)
    async with transaction():
        await current_session().execute(update(Price).where(Price.currency == "KRW").values(amount=44000))

    new = await order_in(browser)

    assert new["amount"] == 44000
    assert new["order"] != old["order"]
    await current_session().reset()
    found = await current_session().execute(select(Order.number, Order.status))
    statuses = dict(found.all())
    assert statuses == {old["order"]: OrderStatus.CANCELED, new["order"]: OrderStatus.PENDING}


async def test_a_price_change_does_not_undo_a_payment_that_went_through(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    old = (await page.press_pay()).json()
    await pay(sandbox, old)
    async with transaction():
        await current_session().execute(update(Price).values(amount=44000))

    answer = await page.press_pay()

    assert answer.json()["error"]["code"] == "order_already_paid"
    assert (await browser.get(f"/orders/{old['order']}/status")).json()["status"] == "paid"


async def test_a_tab_that_is_late_with_another_key_makes_no_second_intent(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Tab A got a 5xx and tried with the next key; tab B's call with the first key succeeds after all."""
    page = await open_checkout(browser)
    first = (await page.press_pay()).json()
    await current_session().reset()
    order = (await current_session().scalars(select(Order))).one()
    await current_session().reset()
    late = await gateways().stripe.create_intent(
        order_number=order.number,
        attempt=1,
        tries=7,
        amount=33000,
        currency="KRW",
        quote_digest=order.quote_digest,
    )

    buyer = Buyer(None, order.viewer_id, order.email, "127.0.0.1")
    press = Press(buyer, ("first-night",), "KRW")
    with pytest.raises(opening.Lost):
        async with transaction():
            await opening.hand_out(press, await repository.look(order.id), late)

    assert late.id != intent_of(first)
    assert (await page.press_pay()).json() == first


async def test_an_intent_that_stripe_no_longer_knows_makes_room_for_another_payment(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    old = (await page.press_pay()).json()
    async with transaction():
        await current_session().execute(update(Payment).values(intent_id="pi_of_another_account"))

    new = (await page.press_pay()).json()

    assert new["order"] == old["order"]
    assert intent_of(new) != intent_of(old)
    assert await count(Payment) == 2


async def test_two_tabs_in_two_currencies_leave_one_open_intent(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    won = await order_in(browser, currency="KRW")
    await order_in(browser, currency="USD")

    await current_session().reset()
    assert (await gateways().stripe.fetch_intent(intent_of(won))).status == "canceled"


async def test_paying_in_one_tab_is_seen_by_the_other_in_another_currency(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    await pay(sandbox, (await page.press_pay(currency="KRW")).json())

    answer = await page.press_pay(currency="USD")

    assert answer.json()["error"]["code"] == "order_already_paid"
    assert await count(Order) == 1


async def test_signing_in_with_an_order_open_leaves_one_open_intent(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await create_account()
    as_guest = await order_in(browser)
    await sign_in(browser)
    await order_in(browser)

    await current_session().reset()
    assert (await gateways().stripe.fetch_intent(intent_of(as_guest))).status == "canceled"


async def test_after_the_charge_no_press_moves_the_receipt_to_another_address(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    await pay(sandbox, (await page.press_pay(email="payer@mail.example")).json())

    await page.press_pay(email="another@mail.example")

    await current_session().reset()
    assert (await current_session().scalars(select(Order.email))).all() == ["payer@mail.example"]


async def test_declined_cards_of_one_network_end_further_attempts(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    await page.press_pay()
    async with transaction():
        await current_session().execute(update(Payment).values(declines=60, last_declined_at=now()))

    async with shop.client() as fresh:
        answer = await (await open_checkout(fresh)).press_pay(email="fresh@mail.example")

    assert (await page.press_pay()).status_code == 429
    assert answer.status_code == 429


async def test_strangers_who_type_an_address_do_not_stop_its_owner(shop: Site, sandbox: Sandbox) -> None:
    await create_account()
    async with shop.client() as stranger, shop.client() as owner:
        page = await open_checkout(stranger)
        for _ in range(21):
            await page.press_pay(email="vera@mail.example")
        await sign_in(owner)
        assert (await (await open_checkout(owner)).press_pay()).status_code == 200


async def test_too_many_presses_are_braked_with_a_calm_word(browser: httpx.AsyncClient) -> None:
    page = await open_checkout(browser)

    answers = [await page.press_pay() for _ in range(22)]

    assert answers[19].status_code == 200
    assert answers[-1].status_code == 429
    assert answers[-1].json()["error"]["code"] == "too_many_requests"


async def test_an_order_is_seen_by_its_buyer_and_by_support_only(shop: Site, sandbox: Sandbox) -> None:
    await create_account("support@mail.example", Role.SUPPORT)
    await create_account("stranger@mail.example")
    buyer, order = await bought(shop, sandbox, email="stranger@mail.example")
    address = f"/orders/{order['order']}"

    async with shop.client() as nobody, shop.client() as stranger, shop.client() as support:
        # Even the account of the very address that the buyer typed sees nothing before the mailed link.
        await sign_in(stranger, "stranger@mail.example")
        await sign_in(support, "support@mail.example")
        seen = {
            "buyer": (await buyer.get(address)).status_code,
            "nobody": (await nobody.get(address)).status_code,
            "stranger": (await stranger.get(address)).status_code,
            "stranger's poll": (await stranger.get(f"{address}/status")).status_code,
            "support": (await support.get(address)).status_code,
            "unknown order": (await buyer.get("/orders/AAAAA-AAAAA")).status_code,
        }

    assert seen == {
        "buyer": 200,
        "nobody": 404,
        "stranger": 404,
        "stranger's poll": 404,
        "support": 200,
        "unknown order": 404,
    }


async def test_the_order_key_opens_what_it_bought_and_nothing_else(shop: Site, sandbox: Sandbox) -> None:
    await create_course("second-night")
    buyer, _ = await bought(shop, sandbox)

    own = await buyer.get("/learn/first-night")
    other = await buyer.get("/learn/second-night")

    assert own.headers["location"].startswith("/learn/first-night/")
    assert other.headers["location"] == "/courses/second-night"


async def test_an_archived_course_is_not_sold(browser: httpx.AsyncClient) -> None:
    page = await open_checkout(browser)
    course = await catalog.get_any("first-night")
    await current_session().reset()
    await catalog.archive(TESTER, course.id)

    assert (await browser.get("/checkout/first-night")).status_code == 404
    assert (await page.press_pay()).status_code == 404


async def test_orders_older_than_a_day_are_canceled_and_an_open_page_gets_a_new_one(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    page = await open_checkout(browser)
    old = (await page.press_pay()).json()
    async with transaction():
        payment = (await current_session().scalars(select(Payment))).one()
        payment.created_at -= timedelta(hours=25)
        payment.next_check_at -= timedelta(hours=25)

    await sweep.run(at_once=True)
    new = (await page.press_pay()).json()

    assert new["order"] != old["order"]
    await current_session().reset()
    statuses = (await current_session().scalars(select(Order.status).order_by(Order.created_at))).all()
    assert statuses == [OrderStatus.CANCELED, OrderStatus.PENDING]


async def test_a_payment_on_its_way_is_not_asked_for_again_and_opens_the_course_when_it_arrives(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.astripe("settings", processing=True)
    desk = await open_checkout(browser)
    order = (await desk.press_pay()).json()
    intent = await pay(sandbox, order)
    await checkout.settle(intent)

    again = await desk.press_pay()
    in_dollars = await desk.press_pay(currency="USD")

    for answer in (again, in_dollars):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "order_in_progress")
        assert answer.json()["error"]["order"] == order["order"]
    assert await status_of(browser, order) == "pending"
    assert (await browser.get("/learn/first-night")).headers["location"] == "/courses/first-night"

    await sandbox.astripe(f"processing/{intent}", outcome="succeed")
    await checkout.settle(intent)
    assert await status_of(browser, order) == "paid"
    assert await count(Order) == 1


async def test_a_payment_on_its_way_outlives_the_day_after_which_unpaid_orders_are_canceled(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await sandbox.astripe("settings", processing=True)
    order = await order_in(browser)
    intent = await pay(sandbox, order)
    await checkout.settle(intent)
    long_ago = now() - timedelta(hours=30)
    async with transaction():
        await current_session().execute(update(Payment).values(created_at=long_ago, next_check_at=long_ago))

    await sweep.run(at_once=True)
    assert await status_of(browser, order) == "pending"

    await sandbox.astripe(f"processing/{intent}", outcome="fail")
    await checkout.settle(intent)
    assert await status_of(browser, order) == "pending"  # another card may follow
    assert await count(Order) == 1
