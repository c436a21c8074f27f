"""The quote: nobody is charged another amount than the page last showed."""

import re

import httpx
import pytest
from sqlalchemy import select, update

from server.access.models import Grant, GrantState
from server.catalog.models import Price
from server.checkout import service as checkout
from server.checkout.errors import NotForSale
from server.checkout.models import Order, OrderStatus, Payment
from server.database.session import current_session, transaction
from server.mail.models import Mail
from tests.conftest import Sandbox
from tests.factories import create_course, csrf_of, intent_of, open_checkout


@pytest.fixture(autouse=True)
def in_won(browser: httpx.AsyncClient) -> None:
    """Who reads Korean is shown won."""
    browser.headers["Accept-Language"] = "ko"


def digest_of(page: str) -> str:
    found = re.search(r'data-digest="(\w+)"', page)
    assert found, page
    return found[1]


async def press(browser: httpx.AsyncClient, digest: str, currency: str = "KRW") -> httpx.Response:
    token = csrf_of((await browser.get("/checkout/first-night")).text)
    return await browser.post(
        "/checkout/first-night/order",
        json={"email": "guest@mail.example", "currency": currency, "digest": digest},
        headers={"X-CSRF-Token": token},
    )


async def costs(amount: int) -> None:
    async with transaction():
        await current_session().execute(update(Price).where(Price.currency == "KRW").values(amount=amount))


async def shown(browser: httpx.AsyncClient) -> str:
    return digest_of((await browser.get("/checkout/first-night")).text)


async def test_page_press_order_and_intent_tell_the_same_quote(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    digest = await shown(browser)

    assert (await press(browser, digest)).status_code == 200

    await current_session().reset()
    assert (await current_session().scalars(select(Order.quote_digest))).one() == digest
    (asked,) = sandbox.requests("POST", "/v1/payment_intents")
    assert asked["params"]["metadata"]["quote"] == digest


@pytest.mark.parametrize("amount", [44000, 22000])
async def test_a_price_that_changed_since_the_page_was_shown_is_told_and_not_charged(
    browser: httpx.AsyncClient, sandbox: Sandbox, amount: int
) -> None:
    digest = await shown(browser)
    await costs(amount)

    answer = await press(browser, digest)

    assert answer.status_code == 409
    error = answer.json()["error"]
    assert (error["code"], error["total"], error["currency"]) == ("quote_changed", amount, "KRW")
    assert error["total_text"] == f"₩{amount:,}"
    assert sandbox.requests("POST", "/v1/payment_intents") == []
    again = await press(browser, error["digest"])
    assert (again.status_code, again.json()["amount"]) == (200, amount)


async def test_an_order_of_the_old_price_is_closed_before_the_new_one_is_offered(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    old = (await press(browser, await shown(browser))).json()
    await costs(44000)

    new = (await press(browser, await shown(browser))).json()

    assert new["amount"] == 44000
    await current_session().reset()
    found = await current_session().execute(select(Order.number, Order.status))
    assert dict(found.all()) == {old["order"]: OrderStatus.CANCELED, new["order"]: OrderStatus.PENDING}
    canceled = sandbox.requests("POST", f"/v1/payment_intents/{intent_of(old)}/cancel")
    assert [one["status"] for one in canceled] == [200]


async def test_a_total_of_nothing_opens_the_course_without_stripe(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await costs(0)

    answer = await press(browser, await shown(browser))

    order = answer.json()
    assert order == {"order": order["order"], "client_secret": None, "amount": 0, "currency": "KRW"}
    assert sandbox.requests("POST", "/v1/payment_intents") == []
    told = (await browser.get(f"/orders/{order['order']}/status")).json()
    assert told == {"status": "paid", "watch_url": "/learn/first-night"}
    assert (await browser.get(f"/orders/{order['order']}")).status_code == 200
    await current_session().reset()
    assert (await current_session().scalars(select(Grant.state))).all() == [GrantState.ACTIVE]
    assert (await current_session().scalars(select(Payment))).all() == []
    receipts = await current_session().scalars(select(Mail).where(Mail.once_key.startswith("receipt:")))
    assert len(receipts.all()) == 1
    assert await checkout.count_paid_without_access() == 0


async def test_what_cost_nothing_counts_as_bought(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await costs(0)
    digest = await shown(browser)
    token = csrf_of((await browser.get("/checkout/first-night")).text)
    await press(browser, digest)

    again = await browser.post(
        "/checkout/first-night/order",
        json={"email": "guest@mail.example", "currency": "KRW", "digest": digest},
        headers={"X-CSRF-Token": token},
    )

    assert (again.status_code, again.json()["error"]["code"]) == (409, "order_already_paid")
    async with transaction():
        await current_session().execute(Grant.__table__.delete())  # type: ignore[attr-defined]
    assert await checkout.count_paid_without_access() == 1


async def test_the_digest_tells_courses_prices_and_currency_apart(browser: httpx.AsyncClient) -> None:
    await create_course("second-night")
    quotes = [
        await checkout.quote(["first-night"], "KRW"),
        await checkout.quote(["second-night"], "KRW"),
        await checkout.quote(["first-night", "second-night"], "KRW"),
        await checkout.quote(["first-night"], "USD"),
        await checkout.quote(["first-night"], "JPY"),
    ]

    assert len({one.digest for one in quotes}) == 5
    assert quotes[2].total == 66000
    assert (await checkout.quote(["first-night"], "KRW")).digest == quotes[0].digest
    with pytest.raises(NotForSale):
        await checkout.quote(["first-night", "second-night"], "EUR")


async def test_a_rubbish_digest_is_another_quote(browser: httpx.AsyncClient) -> None:
    page = await open_checkout(browser)

    answer = await browser.post(
        "/checkout/first-night/order",
        json={"email": "guest@mail.example", "currency": "KRW", "digest": "x" * 64},
        headers={"X-CSRF-Token": page.token},
    )

    assert answer.json()["error"]["code"] == "quote_changed"
