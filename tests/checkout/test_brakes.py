"""Against card testing: every brake refuses by itself, whatever the others would allow."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from server.checkout import card_testing, opening
from server.checkout import service as checkout
from server.checkout.models import Order, Payment, PaymentStatus
from server.clock import now
from server.database.session import current_session, transaction
from tests.conftest import Sandbox, Site
from tests.factories import create_account, open_checkout, order_in, pay, sign_in

PRESSES = ("PRESSES_PER_BROWSER", "PRESSES_PER_EMAIL", "PRESSES_PER_IP")
DECLINES = ("DECLINES_PER_BROWSER", "DECLINES_PER_IP")


@pytest.fixture
def alone(shop: Site, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """One cap is 3, and all others are out of reach."""
    for name in (*PRESSES, *DECLINES):
        module: Any = card_testing if name in DECLINES else opening
        monkeypatch.setattr(module, name, 3 if name == request.param else 10**6)


async def press(client: httpx.AsyncClient, email: str) -> int:
    return (await (await open_checkout(client)).press_pay(email)).status_code


def only(cap: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("alone", [cap], indirect=True)


@only("PRESSES_PER_BROWSER")
async def test_a_browser_presses_only_so_often(alone: None, shop: Site, browser: httpx.AsyncClient) -> None:
    statuses = [await press(browser, f"reader{number}@mail.example") for number in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert await press(shop.client(), "reader@mail.example") == 200


@only("PRESSES_PER_BROWSER")
async def test_an_account_presses_only_so_often_in_all_its_browsers(alone: None, shop: Site) -> None:
    await create_account()
    statuses = []
    for _ in range(4):
        client = shop.client()
        await sign_in(client)
        statuses.append(await press(client, ""))

    assert statuses == [200, 200, 200, 429]


@only("PRESSES_PER_EMAIL")
async def test_an_address_is_typed_only_so_often_from_one_network(alone: None, shop: Site) -> None:
    statuses = [await press(shop.client(), "Reader@mail.example") for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert await press(shop.client(), "other@mail.example") == 200


@only("PRESSES_PER_EMAIL")
async def test_an_address_that_a_stranger_types_is_free_elsewhere(
    alone: None, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        await press(shop.client(), "reader@mail.example")
    monkeypatch.setitem(shop.app.config, "PROXIES_COUNT", 1)

    elsewhere = shop.client(headers={"X-Forwarded-For": "198.51.100.7"})

    assert await press(elsewhere, "reader@mail.example") == 200


@only("PRESSES_PER_IP")
async def test_a_network_presses_only_so_often(
    alone: None, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = [await press(shop.client(), f"reader{number}@mail.example") for number in range(4)]
    monkeypatch.setitem(shop.app.config, "PROXIES_COUNT", 1)
    elsewhere = shop.client(headers={"X-Forwarded-For": "198.51.100.7"})

    assert statuses == [200, 200, 200, 429]
    assert await press(elsewhere, "reader@mail.example") == 200


async def test_one_browser_does_not_use_up_what_its_network_may_do(
    shop: Site, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PRESSES_PER_BROWSER", 2)
    monkeypatch.setattr(opening, "PRESSES_PER_IP", 5)

    presses = [await press(browser, f"reader{number}@mail.example") for number in range(10)]

    assert presses == [200] * 2 + [429] * 8
    assert await press(shop.client(), "honest@mail.example") == 200


async def declined(order: dict[str, Any], times: int) -> None:
    """As if so many cards had been declined on this order."""
    async with transaction():
        order_id = select(Order.id).where(Order.number == order["order"]).scalar_subquery()
        await current_session().execute(
            update(Payment).where(Payment.order_id == order_id).values(declines=times, last_declined_at=now())
        )


@only("DECLINES_PER_BROWSER")
async def test_a_browser_is_declined_only_so_often(
    alone: None, shop: Site, browser: httpx.AsyncClient
) -> None:
    order = await order_in(browser)
    await declined(order, 2)
    assert await press(browser, "reader@mail.example") == 200
    await declined(order, 3)

    assert await press(browser, "reader@mail.example") == 429
    assert await press(shop.client(), "reader@mail.example") == 200


@only("DECLINES_PER_IP")
async def test_a_network_is_declined_only_so_often(
    alone: None, shop: Site, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await order_in(browser)
    await declined(order, 2)
    assert await press(shop.client(), "reader@mail.example") == 200
    await declined(order, 3)
    assert await press(shop.client(), "reader@mail.example") == 429
    monkeypatch.setitem(shop.app.config, "PROXIES_COUNT", 1)

    elsewhere = shop.client(headers={"X-Forwarded-For": "198.51.100.7"})

    assert await press(elsewhere, "reader@mail.example") == 200


@only("DECLINES_PER_BROWSER")
async def test_declines_of_more_than_an_hour_ago_count_no_more_though_the_payment_was_looked_at(
    alone: None,
    shop: Site,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every settlement and every look used to make old declines young again."""
    order = await order_in(browser)
    for _ in range(3):
        intent = await pay(sandbox, order, "pm_card_visa_chargeDeclined")
    monkeypatch.setattr(card_testing, "DECLINES_PER_BROWSER", 4)  # the third does not end the payment
    await checkout.settle(intent)
    monkeypatch.setattr(card_testing, "DECLINES_PER_BROWSER", 3)
    young = await press(browser, "reader@mail.example")
    async with transaction():
        long_ago = now() - timedelta(minutes=61)
        await current_session().execute(update(Payment).values(last_declined_at=long_ago))

    await checkout.settle(intent)
    await current_session().reset()

    stored = (await current_session().scalars(select(Payment))).one()
    assert (stored.status, stored.declines) == (PaymentStatus.FAILED, 3)
    await current_session().reset()
    assert (young, await press(browser, "reader@mail.example")) == (429, 200)


def test_the_caps_are_what_the_decision_says() -> None:
    assert [getattr(opening, name) for name in PRESSES] == [20, 20, 200]
    assert [getattr(card_testing, name) for name in DECLINES] == [20, 60]
    assert card_testing.MAX_DECLINES == 10
