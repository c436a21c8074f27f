from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, async_playwright, expect

from tests.chromium import ARGUMENTS, WHOLE
from tests.conftest import wait_for
from tests.http import HTTP
from tests.ports import free_port

from .merchant import Merchant

SECRET_KEY = "sk_test_stripejs"
PUBLISHABLE_KEY = "pk_test_stripejs"
CARD_FRAME = 'iframe[title="Secure payment input frame"]'
CHALLENGE = 'iframe[src*="three-ds-2-challenge"]'


@dataclass(frozen=True)
class Stripe:
    """The stand-in's process, as its own clients see it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def browser_url(self) -> str:
        return f"http://localhost:{self.port}"

    def call(self, method: str, path: str, **data: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {SECRET_KEY}", "Stripe-Version": "2026-10-28.endive"}
        answer = HTTP.request(method, self.url + path, data=data or None, headers=headers)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def intent(self, amount: int = 33000, currency: str = "krw", **more: str) -> dict[str, Any]:
        return self.call("POST", "/v1/payment_intents", amount=str(amount), currency=currency, **more)

    def status(self, intent: dict[str, Any]) -> str:
        return str(self.call("GET", f"/v1/payment_intents/{intent['id']}")["status"])

    def billed_to(self, intent: dict[str, Any]) -> dict[str, str]:
        """What is known of the payer's address."""
        charge = self.call("GET", f"/v1/charges?payment_intent={intent['id']}")["data"][0]
        return {name: value for name, value in charge["billing_details"]["address"].items() if value}

    def control(self, path: str, **body: str) -> None:
        HTTP.post(f"{self.url}/_sandbox/{path}", json=body).raise_for_status()

    def trouble(self, **settings: object) -> None:
        HTTP.post(f"{self.url}/_sandbox/browser", json=settings).raise_for_status()


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[Stripe]:
    stripe = Stripe(free_port())
    command = [sys.executable, "-m", "server.sandbox.stripe", "--port", str(stripe.port)]
    command += ["--secret-key", SECRET_KEY, "--publishable-key", PUBLISHABLE_KEY]
    process = subprocess.Popen(command)
    try:
        wait_for([f"{stripe.url}/_sandbox/healthz"])
        yield stripe
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def stripe(stripe_process: Stripe) -> Iterator[Stripe]:
    yield stripe_process
    stripe_process.trouble()


@pytest.fixture(scope="session")
def merchant(stripe_process: Stripe) -> Iterator[Merchant]:
    merchant = Merchant(f"http://127.0.0.1:{free_port()}", stripe_process.browser_url)
    server = merchant.serve()
    yield merchant
    server.shutdown()
    server.server_close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(locale="ko-KR", viewport={"width": 390, "height": 844})
    context.set_default_timeout(10_000)
    yield context
    await context.close()


class Shop:
    """One open page of the shop, and the buyer in front of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        self.left = 0
        page.on("console", lambda line: self.console.append(f"{line.type}: {line.text}"))
        page.on("pageerror", lambda error: self.console.append(f"pageerror: {error}"))

    @property
    def card(self) -> FrameLocator:
        return self.page.frame_locator(CARD_FRAME)

    @property
    def bank(self) -> FrameLocator:
        return self.page.frame_locator(CHALLENGE).frame_locator('iframe[name="stripe-challenge-frame"]')

    async def open_form(
        self,
        elements: dict[str, Any] | None = None,
        create: dict[str, Any] | None = None,
        *,
        key: str = PUBLISHABLE_KEY,
        locale: str = "ko",
    ) -> None:
        options = {"mode": "payment", "amount": 33000, "currency": "krw"} if elements is None else elements
        await self.page.evaluate(
            "([key, locale, options, create]) => openForm(key, { locale }, options, create)",
            [key, locale, options, create or {}],
        )
        await self.wait_for_event("ready")

    async def wait_for_event(self, name: str) -> dict[str, Any]:
        script = "(name) => events.find(([event]) => event === name)"
        found: list[Any] = await (await self.page.wait_for_function(script, arg=name)).json_value()
        payload: dict[str, Any] = found[1]
        return payload

    async def fill(self, number: str, expiry: str = "12 / 34", cvc: str = "123") -> None:
        await self.card.locator('[name="number"]').fill(number)
        await self.card.locator('[name="expiry"]').fill(expiry)
        await self.card.locator('[name="cvc"]').fill(cvc)

    async def pay(self, intent: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = await self.page.evaluate("(secret) => pay(secret)", intent["client_secret"])
        return result

    async def start_paying(self, intent: dict[str, Any]) -> None:
        await self.page.evaluate("(secret) => startPaying(secret)", intent["client_secret"])

    async def outcome(self) -> dict[str, Any]:
        found: dict[str, Any] = await (await self.page.wait_for_function("() => outcome")).json_value()
        return found

    async def thrown(self, script: str, arg: object = None) -> str:
        """What `script` throws or rejects with, as "name: message"; "" when it goes through."""
        attempt = f"""async (arg) => {{
            try {{ await (async () => {{ {script} }})(); return ""; }}
            catch (error) {{ return `${{error.name}}: ${{error.message}}`; }}
        }}"""
        return str(await self.page.evaluate(attempt, arg))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def idle_shop(browser: BrowserContext, merchant: Merchant) -> AsyncIterator[Shop]:
    """A page for calls that never open a form, and so leave nothing behind for the next test."""
    page = await browser.new_page()
    await page.goto(merchant.url + "/")
    yield Shop(page)
    await page.close()


@asynccontextmanager
async def opened(browser: BrowserContext, merchant: Merchant) -> AsyncIterator[Shop]:
    page = await browser.new_page()
    shop = Shop(page)
    await page.goto(merchant.url + "/")
    await expect(page.locator("h1")).to_have_text("Shop")
    page.on("framenavigated", lambda frame: setattr(shop, "left", shop.left + (frame == page.main_frame)))
    yield shop
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(browser: BrowserContext, merchant: Merchant, stripe: Stripe) -> AsyncIterator[Shop]:
    async with opened(browser, merchant) as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def guarded_shop(merchant: Merchant, stripe: Stripe, tmp_path: Path) -> AsyncIterator[Shop]:
    """In a browser that blocks the cookies of third parties."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    # A browser context of its own would not inherit this, so the whole profile has it.
    blocked = {"profile": {"block_third_party_cookies": True, "cookie_controls_mode": 1}}
    preferences.write_text(json.dumps(blocked))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=WHOLE, args=ARGUMENTS, locale="ko-KR"
        )
        async with opened(browser, merchant) as shop:
            yield shop
        await browser.close()
