"""The page around the player, in a real browser, with the stand-in's player in its frame."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import (
    Browser,
    FrameLocator,
    Locator,
    Page,
    Route,
    ViewportSize,
    expect,
)

from server.access import service as access
from server.database.session import transaction
from server.integrations.kollus import KollusClient
from server.settings import Settings
from server.web import cookies
from tests.conftest import Sandbox, Site
from tests.engines import on_sqlite
from tests.factories import TESTER, eventually
from tests.playback.conftest import Person, Stage, grant

pytestmark = on_sqlite

PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest_asyncio.fixture
async def page(chromium: Browser, site: Site, stage: Stage, vera: Person) -> AsyncIterator[Page]:
    """Vera's browser, on a phone."""
    context = await chromium.new_context(viewport=PHONE, locale="en-US")
    token = vera.http.cookies[cookies.SIGN_IN]
    await context.add_cookies([{"name": cookies.SIGN_IN, "value": token, "url": site.url}])
    yield await context.new_page()
    await context.close()


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

    async def look() -> bool:
        return (await vera.open_player(stage.path(stage.lectures[1]))).query["s"] != "0"

    await eventually(look)


async def test_watching_fills_the_map_keeps_the_place_and_goes_on_there(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await play(page)
    await expect(page.locator("[data-watched-words]")).not_to_have_text(re.compile("^[0-3]%"), timeout=15_000)
    await expect(page.locator("[data-place]")).to_be_empty()
    await frame(page).locator("[data-toggle]").click()
    await expect(page.locator("[data-place]")).to_have_text("Your place is kept.")
    await kept(vera, stage)
    assert not problems


async def position(page: Page) -> float:
    found: float = await frame(page).locator("video").evaluate("(video) => video.currentTime")
    return found


async def test_a_reload_in_mid_play_goes_on_where_it_was(
    site: Site, page: Page, stage: Stage, vera: Person, sandbox: Sandbox
) -> None:
    """A page's last report leaves when the next page is made already: its address knows an older place."""
    await grant(vera.viewer_id, stage.course)
    await sandbox.akollus("settings", lms_period_s=3600)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await play(page)
    await seek(page, 20)
    await expect(page.locator("[data-watched-words]")).not_to_have_text(re.compile("^[0-4]%"), timeout=20_000)
    await page.reload()
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "ready", timeout=20_000)
    assert "s=0" not in (await page.locator("[data-player]").get_attribute("data-player-url") or "")
    await expect(frame(page).locator("[data-time]")).not_to_have_text(re.compile("^0:2[01] "))
    assert await position(page) >= 22


async def test_a_jump_while_paused_is_where_a_reload_goes_on(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await play(page)
    await expect(page.locator("[data-watched-words]")).not_to_have_text(re.compile("^0%"), timeout=20_000)
    await frame(page).locator("[data-toggle]").click()
    await expect(page.locator("[data-place]")).not_to_be_empty()
    await seek(page, 35)

    async def is_kept() -> bool:
        return (await vera.open_player(stage.path(stage.lectures[1]))).query["s"] == "35"

    await eventually(is_kept)
    await page.reload()
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "ready", timeout=20_000)
    await expect(frame(page).locator("[data-time]")).to_have_text(re.compile("^0:35 "))


async def test_a_place_of_long_ago_is_the_servers_to_know(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    """A tab that was paused for an hour, while the viewer went on elsewhere."""
    await grant(vera.viewer_id, stage.course)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await play(page)
    await seek(page, 10)
    await expect(page.locator("[data-watched-words]")).not_to_have_text(re.compile("^0%"), timeout=20_000)
    await frame(page).locator("[data-toggle]").click()
    await kept(vera, stage)
    elsewhere = await vera.open_player(stage.path(stage.lectures[1]))
    in_an_hour = int(time.time()) + 3600
    await elsewhere.tell(elsewhere.report(seen=[7], position=33, start_at=in_an_hour))
    await page.evaluate("Date.now = ((now) => () => now() + 3_600_000)(Date.now)")
    await page.add_init_script("Date.now = ((now) => () => now() + 3_600_000)(Date.now)")
    await page.reload()
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "ready", timeout=20_000)
    await expect(frame(page).locator("[data-time]")).to_have_text(re.compile("^0:33 "))


async def test_the_video_fills_the_screen_in_older_browsers_too(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    """As Kollus asks for it: where `allow` does not know full screen, the older attributes do."""
    await grant(vera.viewer_id, stage.course)
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type in ("warning", "error") else None)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await play(page)
    for name in ("allowfullscreen", "webkitallowfullscreen", "mozallowfullscreen"):
        await expect(page.locator("[data-player] iframe")).to_have_attribute(name, "")
    await frame(page).locator("[data-full]").click()

    async def is_full() -> bool:
        # Not by wait_for_function: its polling is a script that the page's policy refuses.
        return bool(await page.evaluate("document.fullscreenElement !== null"))

    await eventually(is_full)
    assert said == []


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
    await asyncio.wait_for(asked.wait(), 20)
    async with transaction():
        await access.revoke(TESTER, grant_id)
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


async def test_a_site_that_answers_the_player_too_late_is_told_as_a_slow_connection(
    site: Site, page: Page, stage: Stage, vera: Person, sandbox: Sandbox
) -> None:
    await grant(vera.viewer_id, stage.course)
    await sandbox.akollus("settings", callback_timeout_ms=1)
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await expect(said(page)).to_contain_text("The connection is slow or was lost.", timeout=20_000)
    await expect(said(page)).to_contain_text("8670")
    await sandbox.akollus("settings", callback_timeout_ms=3000)
    await said(page).get_by_role("link", name="Load the page again").click()
    await play(page)


def said(page: Page) -> Locator:
    return page.locator("[data-player-trouble]:visible")


async def test_a_player_that_cannot_be_reached_is_said_calmly(
    site: Site, page: Page, stage: Stage, vera: Person, settings: Settings
) -> None:
    await grant(vera.viewer_id, stage.course)
    await page.clock.install()
    gateway = re.escape(settings.kollus_gateway_url)
    # The player alone; then whatever comes from Kollus, the controller's script included.
    for broken in (f"^{gateway}/(s?.*)?$", f"^{gateway}/"):
        await page.route(re.compile(broken), lambda route: route.abort())
        await page.goto(site.url + stage.path(stage.lectures[1]))
        await expect(page.get_by_text("The player is loading.")).to_be_visible()
        await page.clock.run_for(3_000)
        await expect(said(page)).to_contain_text("The player cannot be reached right now.")
        await page.unroute_all()
        await said(page).get_by_role("link", name="Load the page again").click()
        await play(page)


async def test_a_player_that_is_slow_is_said_and_a_late_one_plays(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    await page.clock.install()
    await page.route("**/s?**", hold)
    await page.goto(site.url + stage.path(stage.lectures[1]), wait_until="commit")
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "loading")
    await page.clock.run_for(11_000)
    await expect(said(page)).to_have_count(0)
    await page.clock.run_for(1_500)
    await expect(said(page)).to_contain_text("The player is taking longer than usual.")
    await expect(page.get_by_text("The player is loading.")).to_be_hidden()
    released.set()
    await play(page)
    await expect(said(page)).to_have_count(0)


async def test_a_player_that_lives_stays_in_view_when_it_is_late(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    await page.clock.install()
    await page.route("**/_player/views/*/open", lambda _: None)  # never answered
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await expect(page.locator("[data-player][data-alive]")).to_be_visible()
    await page.clock.run_for(12_500)
    await expect(said(page)).to_contain_text("The player is taking longer than usual.")
    bar, player = await said(page).bounding_box(), await page.locator("[data-player]").bounding_box()
    assert bar and player and bar["height"] < player["height"] * 0.6


async def test_the_page_fits_a_phone_and_works_without_the_controller_script(
    site: Site, page: Page, stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    await page.clock.install()
    await page.route("**/vgcontroller/**", lambda route: route.abort())
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "alone", timeout=20_000)
    await frame(page).locator("[data-big]").click(timeout=20_000)
    await expect(frame(page).locator("[data-player]")).to_have_attribute("data-playing", "true")
    await page.clock.run_for(12_500)
    await expect(said(page)).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
