"""The page around the player, in a real browser, with the stand-in's player in its frame."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from playwright.async_api import (
    BrowserContext,
    FrameLocator,
    Page,
    Route,
    ViewportSize,
    async_playwright,
    expect,
)

from server.access import service as access
from server.clock import now
from server.database.session import transaction
from server.integrations.kollus import KollusClient
from server.settings import Settings
from server.web import cookies
from tests.chromium import ARGUMENTS, EXECUTABLE
from tests.conftest import Site
from tests.playback.conftest import Person, Stage, grant

PLAYER_ARGUMENTS = [*ARGUMENTS, "--autoplay-policy=no-user-gesture-required"]
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest_asyncio.fixture(loop_scope="session")
async def chromium() -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=PLAYER_ARGUMENTS)
        yield await browser.new_context(viewport=PHONE, locale="en-US")
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: BrowserContext, site: Site, stage: Stage, vera: Person) -> Page:
    """Vera's browser, on a phone; every error of the console fails the test."""
    token = vera.http.cookies[cookies.SIGN_IN]
    await chromium.add_cookies([{"name": cookies.SIGN_IN, "value": token, "url": site.url}])
    return await chromium.new_page()


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("[data-player] iframe")


async def play(page: Page) -> None:
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "ready", timeout=20_000)
    await frame(page).locator("[data-big]").click()
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "playing")


async def seek(page: Page, seconds: int) -> None:
    await (
        frame(page)
        .locator("[data-seek]")
        .evaluate(
            "(bar, value) => { bar.value = value; bar.dispatchEvent(new Event('input', {bubbles: true}));"
            " bar.dispatchEvent(new Event('change', {bubbles: true})); }",
            seconds,
        )
    )


async def kept(vera: Person, stage: Stage) -> None:
    """The player's report is on its way: wait for the resume point it brings."""
    deadline = now() + timedelta(seconds=10)
    while (await vera.open_player(stage.path(stage.lectures[1]))).query["s"] == "0":
        assert now() < deadline
        await asyncio.sleep(0.1)


async def test_watching_fills_the_map_keeps_the_place_and_goes_on_there(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await play(page)
    await expect(page.locator("[data-watched] figcaption")).not_to_have_text(
        re.compile("^[0-3]%"), timeout=15_000
    )
    await expect(page.locator("[data-place]")).to_be_empty()
    await frame(page).locator("[data-toggle]").click()
    await expect(page.locator("[data-place]")).to_have_text("Your place is kept.")
    await kept(vera, stage)
    assert not problems


async def test_the_end_of_a_lecture_offers_the_next_one(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    await page.goto(site.url + stage.path(stage.lectures[0]))
    await play(page)
    await seek(page, 18)
    offer = page.locator("[data-player-end]")
    await expect(offer).to_be_visible(timeout=15_000)
    await expect(offer.get_by_role("link", name="Light")).to_be_focused()
    await offer.get_by_role("button", name="Watch again").click()
    await expect(offer).to_be_hidden()
    await seek(page, 18)
    await offer.get_by_role("link", name="Light").click()
    await expect(page).to_have_url(site.url + stage.path(stage.lectures[1]))


async def test_access_that_ended_meanwhile_is_said_and_leads_to_the_courses(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    grant_id = await grant(vera.viewer_id, stage.course)

    asked, revoked = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await revoked.wait()
        await route.continue_()

    await page.route("**/s?**", hold)
    await page.goto(site.url + stage.path(stage.lectures[1]), wait_until="commit")
    await asked.wait()
    async with transaction():
        await access.revoke(grant_id)
    revoked.set()
    trouble = page.locator("[data-player-trouble]:visible")
    await expect(trouble).to_contain_text("This video is not open to you right now. 8673", timeout=20_000)
    await expect(trouble.get_by_role("link", name="My courses")).to_have_attribute("href", "/learn")


async def test_a_link_that_ran_out_offers_a_new_one(
    site: Site, page: Page, stage: Stage, vera: Person, settings: Settings
) -> None:
    await grant(vera.viewer_id, stage.course)
    stale = KollusClient(settings).player_url(
        media_content_key="atHq3DxR", cuid="u-1", start_s=0, title="", user_values={}, expires_in_s=-1
    )
    await page.route("**/s?**", lambda route: route.continue_(url=stale))
    await page.goto(site.url + stage.path(stage.lectures[1]))
    trouble = page.locator("[data-player-trouble]:visible")
    await expect(trouble).to_contain_text("Your place is kept. 4085", timeout=20_000)
    await page.unroute("**/s?**")
    await trouble.get_by_role("link", name="Load the page again").click()
    await play(page)


async def test_the_page_fits_a_phone_and_works_without_the_controller_script(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    await page.route("**/vgcontroller/**", lambda route: route.abort())
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await frame(page).locator("[data-big]").click(timeout=20_000)
    await expect(frame(page).locator("[data-player]")).to_have_attribute("data-playing", "true")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
