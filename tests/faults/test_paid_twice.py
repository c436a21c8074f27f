"""Nobody pays twice for one course: tabs, browsers, currencies at once; two workers; Stripe slow in between.

Each tab does what its page does: it presses *Pay*, and confirms by itself when it is given a secret.
"""

import asyncio
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from server.access.models import Grant, GrantState
from server.accounts import service as accounts
from server.accounts import signing_in
from server.accounts.models import Role
from server.checkout.models import Order, OrderStatus
from server.database.session import current_session, session_scope
from server.settings import Settings
from server.web import cookies
from tests.factories import PASSWORD, TESTER, Checkout, eventually, intent_of, open_checkout
from tests.faults.conftest import Shop
from tests.faults.serving import Served
from tests.ports import free_port

# What a page may be told instead of a secret; never that the shop is out of order.
REFUSALS = {"order_in_progress", "order_already_paid", "already_owned"}
SLOW_MS = 1500
# A part of them in each run: `make races` has a hundred, which takes minutes.
HISTORIES = int(os.environ.get("HISTORIES", "10"))
AT_ONCE = 10  # more is a test of the machine
DOOR = asyncio.Semaphore(4)  # who signs in with a password does not queue, but is sent away


@dataclass
class Press:
    """One press of *Pay*: what it was answered, and what its page confirmed."""

    pressed_at: float
    answer: httpx.Response
    confirmed: tuple[float, float] | None = None  # from when to when its confirmation was under way

    @property
    def intent(self) -> str | None:
        return intent_of(self.answer.json()) if self.answer.status_code == 200 else None

    def crossed(self, other: "Press") -> bool:
        """Whether one's confirmation was under way when the other was pressed."""
        return self.was_made_during(other) or other.was_made_during(self)

    def was_made_during(self, other: "Press") -> bool:
        assert other.confirmed is not None
        began, ended = other.confirmed
        return began <= self.pressed_at <= ended


@dataclass
class Tab:
    """One open checkout page, and what happened in it."""

    desk: Checkout
    email: str = "guest@mail.example"
    currency: str = "KRW"
    presses: list[Press] = field(default_factory=list)

    @property
    def first_answer(self) -> httpx.Response:
        return self.presses[0].answer

    async def press(self) -> Press:
        pressed_at = asyncio.get_running_loop().time()
        press = Press(pressed_at, await self.desk.press_pay(self.email, self.currency))
        self.presses.append(press)
        return press

    async def press_and_confirm(self, shop: Shop, think_s: float = 0.0) -> None:
        press = await self.press()
        if press.intent:
            await asyncio.sleep(think_s)  # a buyer's pause, not the test's
            await self.confirm(shop, press)

    async def confirm(self, shop: Shop, press: Press) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            await shop.sandbox.astripe(f"confirm/{press.intent}", card="pm_card_visa", outcome="complete")
            press.confirmed = (began, clock())
        except AssertionError:
            pass  # Stripe refuses: the intent was canceled, or has succeeded already


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two workers for all tests here: none of them stops one."""
    folder = tmp_path_factory.mktemp("served")
    with Served(settings, free_port(), folder, workers=2, proxies_count=1) as site:
        yield site


@pytest_asyncio.fixture
async def site(shop: Shop, served: Served) -> Served:
    """Stripe tells it of everything at once."""
    endpoint = {"url": f"{served.url}/webhooks/stripe", "secret": shop.settings.webhook_secrets[0]}
    await shop.sandbox.astripe("webhook_endpoints", **endpoint)
    await shop.sandbox.astripe("settings", deliver="now")
    return served


def browser_at(site: Served, place: int) -> httpx.AsyncClient:
    """A browser in a network of its own: the brakes on presses are not what is tested here."""
    return site.client(headers={"X-Forwarded-For": f"10.0.{place // 250}.{place % 250 + 1}"})


async def account_in(shop: Shop, *browsers: httpx.AsyncClient, email: str = "vera@mail.example") -> None:
    """Sign these browsers in to one new account."""
    async with DOOR, session_scope(shop.sessions):
        await accounts.create_account(TESTER, email, PASSWORD, Role.VIEWER, "Vera")
        for browser in browsers:
            token = await signing_in.sign_in(email, PASSWORD, accounts.Browser(email, "test", None))
            browser.cookies.set(cookies.SIGN_IN, token, domain="127.0.0.1")


async def charges(shop: Shop) -> list[dict[str, Any]]:
    """Every charge that went through, oldest first, with each amount that was given back of it since."""
    events = await asyncio.to_thread(shop.sandbox.events)
    made = [event["data"]["object"] for event in events if event["type"] == "charge.succeeded"]
    back: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["type"] == "refund.created":
            back[event["data"]["object"]["charge"]].append(event["data"]["object"]["amount"])
    return [charge | {"given_back": back[charge["id"]]} for charge in made]


async def all_settled(shop: Shop) -> None:
    """Until everything that Stripe charged is paid here, or given back."""

    async def is_settled() -> bool:
        made = await charges(shop)
        async with session_scope(shop.sessions):
            statuses = list(await current_session().scalars(select(Order.status)))
        kept = [one for one in made if not one["given_back"]]
        paid = sum(status in (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED) for status in statuses)
        return paid == len(kept)

    deadline = asyncio.get_running_loop().time() + 40
    while not await is_settled():
        assert asyncio.get_running_loop().time() < deadline, await charges(shop)
        await asyncio.sleep(0.5)


def refused_well(tabs: list[Tab]) -> set[str]:
    """The codes of everything that was refused; a 5xx would be among them as its status."""
    return {
        str(answer.json()["error"]["code"]) if answer.status_code == 409 else str(answer.status_code)
        for tab in tabs
        for answer in (press.answer for press in tab.presses)
        if answer.status_code != 200
    }


async def test_presses_while_the_payment_is_settled_charge_nobody_again(site: Served, shop: Shop) -> None:
    """The first shape: same browser, course and currency; a press waits while the settlement commits."""
    generator = random.Random(5)

    async def buyer(number: int) -> list[Tab]:
        email = f"guest{number}@mail.example"
        async with browser_at(site, number) as browser:
            desk = await open_checkout(browser)
            first, *later = tabs = [Tab(desk, email) for _ in range(5)]
            press = await first.press()

            async def press_later(tab: Tab) -> None:
                await asyncio.sleep(generator.uniform(0, 0.5))
                await tab.press_and_confirm(shop)

            await asyncio.gather(first.confirm(shop, press), *map(press_later, later))
            return tabs

    buyers: list[list[Tab]] = []
    for batch in range(0, HISTORIES, AT_ONCE):
        buyers += await asyncio.gather(*(buyer(batch + number) for number in range(AT_ONCE)))
    await all_settled(shop)

    assert len(await charges(shop)) == len(buyers)
    assert refused_well([tab for tabs in buyers for tab in tabs]) <= REFUSALS


async def test_two_currencies_while_stripe_is_slow_charge_once(site: Served, shop: Shop) -> None:
    async with site.client() as browser:
        desk = await open_checkout(browser)
        await late_tab_is_refused(shop, Tab(desk), Tab(desk, currency="USD"))


async def test_two_browsers_of_one_account_while_stripe_is_slow_charge_once(site: Served, shop: Shop) -> None:
    async with site.client() as phone, site.client() as laptop:
        await account_in(shop, phone, laptop)
        first, second = [await open_checkout(browser) for browser in (phone, laptop)]
        await late_tab_is_refused(shop, Tab(first), Tab(second, currency="USD"))


async def test_a_guests_press_in_flight_while_the_browser_signs_in_and_buys(site: Served, shop: Shop) -> None:
    async with site.client() as browser:
        as_guest = Tab(await open_checkout(browser), "vera@mail.example")
        await shop.sandbox.astripe("settings", api_delay_ms=SLOW_MS)
        pressing = asyncio.create_task(as_guest.press_and_confirm(shop))
        await stripe_is_asked(shop)
        await shop.sandbox.astripe("settings", api_delay_ms=0)
        await account_in(shop, browser)
        signed_in = Tab(await open_checkout(browser))
        await signed_in.press_and_confirm(shop)
        await pressing
        await all_settled(shop)

        assert len(await charges(shop)) == 1
        assert as_guest.first_answer.status_code == 409
        assert refused_well([as_guest]) <= REFUSALS


async def stripe_is_asked(shop: Shop) -> None:
    """Until the first press waits for Stripe's answer."""

    async def has_come() -> bool:
        return bool(await asyncio.to_thread(shop.sandbox.requests, "POST", "/v1/payment_intents"))

    await eventually(has_come)


async def late_tab_is_refused(shop: Shop, slow: Tab, quick: Tab) -> None:
    """The second shape: the first tab waits for Stripe, the second presses and pays meanwhile."""
    await shop.sandbox.astripe("settings", api_delay_ms=SLOW_MS)
    pressing = asyncio.create_task(slow.press_and_confirm(shop))
    await stripe_is_asked(shop)
    await shop.sandbox.astripe("settings", api_delay_ms=0)
    await quick.press_and_confirm(shop)
    await pressing
    await all_settled(shop)

    assert quick.first_answer.status_code == 200
    assert len(await charges(shop)) == 1
    assert slow.first_answer.status_code == 409
    assert refused_well([slow]) <= REFUSALS


async def test_in_random_histories_of_three_tabs_nobody_pays_twice(site: Served, shop: Shop) -> None:
    """A second charge is only where a confirmation was under way when the other was pressed; it goes back."""
    generator = random.Random(2026)

    async def history(number: int) -> list[Tab]:
        email = f"reader{number}@mail.example"
        async with browser_at(site, number) as browser, browser_at(site, number) as other:
            as_guest = Tab(await open_checkout(browser), email, generator.choice(["KRW", "USD"]))
            await account_in(shop, browser, other, email=email)
            tabs = [as_guest]
            tabs += [
                Tab(await open_checkout(client), currency=generator.choice(["KRW", "USD", "JPY"]))
                for client in (browser, other)
            ]
            generator.shuffle(tabs)

            async def act(tab: Tab) -> None:
                for _ in range(generator.choice([1, 2])):
                    await asyncio.sleep(generator.uniform(0, 0.3))
                    await tab.press_and_confirm(shop, generator.uniform(0, 0.2))

            await asyncio.gather(*map(act, tabs))
            return tabs

    async def weather() -> None:
        while not over.is_set():
            await shop.sandbox.astripe("settings", api_delay_ms=generator.choice([0, 0, 20, 150, 400]))
            await asyncio.sleep(0.2)

    histories: list[list[Tab]] = []
    over = asyncio.Event()
    changing = asyncio.create_task(weather())
    try:
        for batch in range(0, HISTORIES, AT_ONCE):
            histories += await asyncio.gather(*(history(batch + number) for number in range(AT_ONCE)))
    finally:
        over.set()
        await changing
    await shop.sandbox.astripe("settings", api_delay_ms=0)
    await all_settled(shop)

    made = await charges(shop)
    tabs = [tab for each in histories for tab in each]
    assert refused_well(tabs) <= REFUSALS
    confirmed = [[one for tab in each for one in tab.presses if one.confirmed] for each in histories]
    assert len(made) == sum(map(len, confirmed)), "what is charged was confirmed, and the other way round"
    for presses in confirmed:
        nobody_paid_twice_but_where_two_crossed(presses, made)
    async with session_scope(shop.sessions):
        opened = list(await current_session().scalars(select(Grant.state)))
    assert Counter(opened)[GrantState.ACTIVE] == HISTORIES


def nobody_paid_twice_but_where_two_crossed(presses: list[Press], made: list[dict[str, Any]]) -> None:
    """Of one buyer's charges one is kept; each other one crossed it, and was given back whole and once."""
    charged = {charge["payment_intent"]: charge for charge in made}
    kept, *more = [one for one in presses if not charged[one.intent]["given_back"]]
    assert not more, "paid twice"
    for press in presses:
        if press is not kept:
            charge = charged[press.intent]
            assert charge["given_back"] == [charge["amount"]]
            assert press.crossed(kept), (press, kept)
