"""Stripe slow or down: calm answers, nothing half-done, and other visitors notice nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from server.accounts.models import Role
from server.checkout.models import Order, Payment, Refund
from server.clock import now
from server.database.session import current_session, transaction
from server.mail.models import Mail
from tests.conftest import Sandbox, Site
from tests.engines import on_sqlite
from tests.factories import (
    bought,
    create_account,
    create_course,
    csrf_of,
    open_checkout,
    order_in,
    pay,
    sign_in,
    status_of,
)

FAILURES = ["500", "429", "drop"]
# One call to Stripe with its retries may take so long; an answer of our own never does.
AT_ONCE_S = 2.0


@pytest_asyncio.fixture
async def shop(site: Site, sandbox: Sandbox, session: None) -> AsyncIterator[Site]:
    await create_course()
    yield site
    await asyncio.to_thread(sandbox.reset)


async def settled_long_ago() -> None:
    """Let a waiting page look at Stripe again."""
    async with transaction():
        await current_session().execute(update(Payment).values(looked_at=now() - timedelta(minutes=1)))


async def count(table: type[Order] | type[Payment] | type[Refund] | type[Mail]) -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(table)) or 0


@on_sqlite
@pytest.mark.parametrize("how", FAILURES)
async def test_pay_pressed_while_stripe_fails_is_said_calmly_and_works_later(
    shop: Site, sandbox: Sandbox, how: str
) -> None:
    async with shop.client() as browser:
        page = await open_checkout(browser)
        await sandbox.astripe("settings", api_fail=how)
        failed = await page.press_pay()
        form = await browser.get("/checkout/first-night")
        await sandbox.astripe("settings", api_fail=None)
        order = (await page.press_pay()).json()

        assert (failed.status_code, failed.json()["error"]["code"]) == (503, "payment_unavailable")
        assert form.status_code == 200, "the page itself does not need Stripe's API"
        await pay(sandbox, order)
        await settled_long_ago()
        assert await status_of(browser, order) == "paid"
        assert (await count(Order), await count(Payment)) == (1, 1)
        intents = [one for one in sandbox.events() if one["type"] == "payment_intent.created"]
        assert len(intents) == 1, "one order, one intent, though the answer to the first was lost"


@on_sqlite
@pytest.mark.parametrize("how", FAILURES)
async def test_a_waiting_buyer_sees_pending_while_stripe_fails_and_paid_when_it_is_back(
    shop: Site, sandbox: Sandbox, how: str
) -> None:
    async with shop.client() as browser:
        order = await order_in(browser)
        await pay(sandbox, order)
        await settled_long_ago()
        await sandbox.astripe("settings", api_fail=how)
        poll, page = await asyncio.gather(status_of(browser, order), browser.get(f"/orders/{order['order']}"))
        half_done = await count(Mail)
        await sandbox.astripe("settings", api_fail=None)

        assert (poll, page.status_code, half_done) == ("pending", 200, 0)
        await settled_long_ago()  # a page looks again only after a pause
        assert await status_of(browser, order) == "paid"


@pytest.mark.parametrize("how", FAILURES)
async def test_a_refund_while_stripe_fails_is_said_calmly_and_money_goes_back_once(
    shop: Site, sandbox: Sandbox, how: str
) -> None:
    _, order = await bought(shop, sandbox)
    await create_account("support@mail.example", Role.SUPPORT)
    async with shop.client() as support:
        await sign_in(support, "support@mail.example")
        address = f"/admin/orders/{order['order']}"
        form = {"csrf_token": csrf_of((await support.get(address)).text)}
        await sandbox.astripe("settings", api_fail=how)
        failed = await support.post(f"{address}/refund", data=form)
        await current_session().reset()
        half_done = (await current_session().scalars(select(Refund.status))).all()
        await sandbox.astripe("settings", api_fail=None)
        done = await support.post(f"{address}/refund", data=form)

        assert failed.status_code == 503
        assert "the refund may be under way. Press again: it is paid back once." in failed.text
        assert half_done == ["requested"], "wanted, and told to nobody as made"
        assert done.status_code in (303, 409), done.text
        events = [one for one in sandbox.events() if one["type"] == "refund.created"]
        assert [one["data"]["object"]["amount"] for one in events] == [33000]
        assert (await count(Refund), await count(Mail)) == (1, 2)  # the receipt and the word of the refund


@on_sqlite
async def test_thirty_buyers_waiting_for_a_slow_stripe_hold_up_nobody_else(
    shop: Site, sandbox: Sandbox
) -> None:
    """More of them than there are connections to the database."""
    browsers = [shop.client() for _ in range(30)]
    pages = [await open_checkout(browser) for browser in browsers]
    await sandbox.astripe("settings", api_delay_ms=4000)
    began = asyncio.get_running_loop().time()
    pressed = [
        asyncio.create_task(page.press_pay(f"guest{number}@mail.example"))
        for number, page in enumerate(pages)
    ]
    async with shop.client() as visitor:
        took = []
        while not all(task.done() for task in pressed):
            before = asyncio.get_running_loop().time()
            assert (await visitor.get("/courses/first-night")).status_code == 200
            took.append(asyncio.get_running_loop().time() - before)
            await asyncio.sleep(0.05)
    statuses = {task.result().status_code for task in pressed}
    waited_s = asyncio.get_running_loop().time() - began

    assert statuses == {200}
    assert waited_s > 4
    assert len(took) > 5
    assert max(took) < AT_ONCE_S


async def test_one_answer_lost_in_a_double_press_makes_one_intent(shop: Site, sandbox: Sandbox) -> None:
    """The intent was made, its answer never came: the second press gets the same one by its key."""
    async with shop.client() as browser:
        page = await open_checkout(browser)
        await sandbox.astripe("settings", api_fail="drop", api_only="POST /v1/payment_intents")
        lost = await page.press_pay()
        await sandbox.astripe("settings", api_fail=None, api_only=None)
        found: httpx.Response = await page.press_pay()

        assert (lost.status_code, found.status_code) == (503, 200)
        assert len([one for one in sandbox.events() if one["type"] == "payment_intent.created"]) == 1


@on_sqlite
async def test_a_bad_gateway_that_answers_in_html_is_said_calmly_and_works_later(
    shop: Site, sandbox: Sandbox
) -> None:
    async with shop.client() as browser:
        page = await open_checkout(browser)
        await sandbox.astripe("settings", api_fail="502")
        failed = await page.press_pay()
        await sandbox.astripe("settings", api_fail=None)
        order = (await page.press_pay()).json()
        await pay(sandbox, order)
        await settled_long_ago()
        await sandbox.astripe("settings", api_fail="502")
        waiting, receipt = await asyncio.gather(
            status_of(browser, order), browser.get(f"/orders/{order['order']}")
        )
        await sandbox.astripe("settings", api_fail=None)

        assert (failed.status_code, failed.json()["error"]["code"]) == (503, "payment_unavailable")
        assert "Gateway" not in failed.text + receipt.text
        assert (waiting, receipt.status_code) == ("pending", 200)
        await settled_long_ago()
        assert await status_of(browser, order) == "paid"
        assert (await count(Order), await count(Payment)) == (1, 1)
