"""The watch page holds still: nothing in it moves by itself, whatever comes late and whatever is said."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, Route, expect

from server.catalog import service as catalog
from server.catalog.records import LectureRecord
from server.web import cookies
from tests.conftest import Site
from tests.engines import on_sqlite
from tests.factories import course, lecture, section, stock
from tests.playback.conftest import Person, grant

pytestmark = on_sqlite

# Titles that need more than one line, as those of real courses do.
COURSE = {
    "en": "The Quiet Art of Proofing: Bread for People Who Have No Time",
    "ko": "시간 없는 사람들을 위한 빵: 기다림으로 만드는 조용한 발효의 기술과 오븐 앞의 아침",
}
LECTURE = {
    "en": "Shaping, Scoring and the Long Cold Night in the Refrigerator",
    "ko": "성형과 칼집, 그리고 냉장고에서 보내는 길고 추운 밤에 대하여",
}
OBSERVE = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    const html = ({ node }) => (node?.parentElement ?? node)?.innerHTML.slice(0, 200);
    for (const { value, sources } of list.getEntries()) window.shifts.push([value, sources.map(html)]);
  }).observe({ type: "layout-shift", buffered: true });
"""


async def long_titles(vera: Person) -> LectureRecord:
    whole = lecture("Overture", 1) | {"title": LECTURE}
    await stock(course("bread", title=COURSE, sections=[section("Act", whole, lecture("Second", 2))]))
    sold = await catalog.get_any("bread")
    await grant(vera.viewer_id, sold)
    return (await catalog.curriculum(sold.id))[0].lectures[0]


@asynccontextmanager
async def opened(chromium: Browser, site: Site, vera: Person, **options: Any) -> AsyncIterator[Page]:
    context = await chromium.new_context(**options)
    token = vera.http.cookies[cookies.SIGN_IN]
    await context.add_cookies([{"name": cookies.SIGN_IN, "value": token, "url": site.url}])
    page = await context.new_page()
    await page.add_init_script(OBSERVE)
    yield page
    await context.close()


async def shifted(page: Page) -> list[Any]:
    """Every shift until now: how much, and what."""
    painted = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    await page.evaluate(painted)
    found: list[Any] = await page.evaluate("window.shifts")
    return found


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ko", "dark")])
async def test_nothing_moves_when_fonts_come_late_nor_when_the_place_is_kept(
    chromium: Browser,
    site: Site,
    vera: Person,
    width: int,
    language: str,
    scheme: Literal["light", "dark"],
) -> None:
    first = await long_titles(vera)
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    viewport = {"width": width, "height": 844}
    async with opened(chromium, site, vera, viewport=viewport, color_scheme=scheme) as page:
        await page.route("**/*.woff2", hold)
        await page.goto(f"{site.url}/learn/bread/{first.id}?lang={language}", wait_until="commit")
        player = page.locator("[data-player]")
        await expect(player).to_have_attribute("data-state", "loading", timeout=20_000)
        await shifted(page)  # it is painted, without its fonts
        released.set()
        await expect(player).to_have_attribute("data-state", "ready", timeout=20_000)
        await page.evaluate("document.fonts.ready")
        assert await shifted(page) == []

        frame = page.frame_locator("[data-player] iframe")
        await frame.locator("[data-big]").click()
        for _ in range(2):
            await expect(player).to_have_attribute("data-state", "playing")
            await expect(page.locator("[data-watched-words]")).not_to_have_text(
                re.compile("^0%"), timeout=15_000
            )
            await frame.locator("[data-toggle]").click()
            await expect(page.locator("[data-place]")).not_to_be_empty()
            await frame.locator("[data-toggle]").click()
        assert await shifted(page) == []
