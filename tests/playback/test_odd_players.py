"""Through the stand-in: players that write odd reports lose nobody's progress."""

import pytest
from playwright.async_api import Browser, expect

from server.database.session import release
from server.playback import service as playback
from server.sandbox.kollus.odd import KINDS
from server.web import cookies
from tests.conftest import Sandbox, Site
from tests.engines import on_sqlite
from tests.factories import eventually
from tests.figures import figure
from tests.playback.conftest import Person, Stage, grant, player_url_in

pytestmark = on_sqlite

# Of the last second, where the position itself can be read in the last report.
AT_THE_END = 45


@pytest.mark.parametrize("kind", KINDS)
async def test_what_an_odd_player_reports_arrives(
    stage: Stage, vera: Person, sandbox: Sandbox, kind: str
) -> None:
    await grant(vera.viewer_id, stage.course)
    await sandbox.akollus("settings", odd_reports=[kind], duplicate=2)
    page = await vera.http.get(stage.path(stage.lectures[1]))
    watched = await sandbox.akollus("play", url=player_url_in(page.text), watch=[[0, AT_THE_END]])
    stored = (await playback.progress_of([vera.viewer_id], [stage.lectures[1].id]))[stage.lectures[1].id]
    await release()
    # Without its count a list of seen blocks alone is not believed: the last period is missing.
    percent = 90 if kind == "block_count_null" else 100
    assert (watched["code"], stored.percent, stored.completed) == (None, percent, True)
    lost = kind in ("position_empty", "position_negative", "position_null")
    assert stored.last_position_s == (0 if lost else AT_THE_END)


async def test_an_odd_player_in_a_browser_keeps_the_place_and_is_counted(
    chromium: Browser, site: Site, stage: Stage, vera: Person, sandbox: Sandbox
) -> None:
    await grant(vera.viewer_id, stage.course)
    await sandbox.akollus("settings", odd_reports=["position_fraction"], lms_period_s=1)
    before = await figure(vera.http, "playbill_lms_odd_fields_total", field="last_play_at")
    context = await chromium.new_context(locale="en-US")
    await context.add_cookies(
        [{"name": cookies.SIGN_IN, "value": vera.http.cookies[cookies.SIGN_IN], "url": site.url}]
    )
    page = await context.new_page()
    await page.goto(site.url + stage.path(stage.lectures[1]))
    await expect(page.locator("[data-player]")).to_have_attribute("data-state", "ready", timeout=20_000)
    await page.frame_locator("[data-player] iframe").locator("[data-big]").click()

    async def is_kept() -> bool:
        return (await vera.open_player(stage.path(stage.lectures[1]))).query["s"] != "0"

    await eventually(is_kept)
    assert await figure(vera.http, "playbill_lms_odd_fields_total", field="last_play_at") > before
    await context.close()
