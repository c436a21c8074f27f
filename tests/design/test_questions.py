"""What a keyboard does with the questions that are asked before something is undone, in Chromium."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from server.settings import ROOT
from server.web.templating import environment

HOUSE = "http://house.test"
PAGE = """
<script type="module" src="/static/js/chrome.js"></script>
{% from "macros/forms.html" import ask %}
<a href="#before">Before</a>
{% call ask("refund", "Refund", "Refund $10?", "/refund", "token", "Refund $10") %}
<p>Access closes.</p>
{% endcall %}
<a href="#after">After</a>
"""


async def _send_page(route: Route) -> None:
    await route.fulfill(body=environment().from_string(PAGE).render(), content_type="text/html")


async def _send_file(route: Route) -> None:
    await route.fulfill(path=ROOT / urlsplit(route.request.url).path[1:])


@pytest_asyncio.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    async with await chromium.new_context() as context:
        page = await context.new_page()
        await page.route(f"{HOUSE}/static/**", _send_file)
        await page.route(f"{HOUSE}/", _send_page)
        await page.goto(f"{HOUSE}/")
        await page.get_by_role("button", name="Refund", exact=True).focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name="Refund $10?")).to_be_visible()
        yield page


async def test_an_open_question_has_the_focus_on_the_harmless_answer(page: Page) -> None:
    await expect(page.get_by_role("button", name="Go back")).to_be_focused()


async def test_escape_and_go_back_return_to_where_the_question_came_from(page: Page) -> None:
    opener = page.get_by_role("button", name="Refund", exact=True)
    for key in ("Escape", "Enter"):
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(opener).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()


async def test_nobody_tabs_behind_a_question(page: Page) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("link", name="After")).to_be_focused()
