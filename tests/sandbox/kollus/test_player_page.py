"""The player page in Chromium, embedded in a page of another site, driven through the controller script."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Frame, Page

from .support import Answer, Site, StandIn, claims, sign, until

EXAMPLES = json.loads((Path(__file__).parent / "lms_examples.json").read_text())

WATCH_PAGE = """<!doctype html><meta charset="utf-8"><title>Watch</title>
<script src="{gateway}/vgcontroller/vg-controller-client.latest.min.js"></script>
<iframe src="{url}" width="320" height="180" allow="autoplay; encrypted-media; fullscreen"></iframe>
<script>
  window.events = [];
  const frame = document.querySelector("iframe");
  frame.addEventListener("load", () => {{
    window.controller = new Kollus.VideogatewayController({{
      target_window: frame.contentWindow, target_origin: "{gateway}" }});
    for (const name of ["open", "loaded", "ready", "play", "pause", "seeking", "seeked", "progress", "done",
                        "error", "speedchange", "volumechange", "muted"]) {{
      controller.on(name, (...values) => events.push([name, ...values]));
    }}
  }});
</script>"""


@pytest_asyncio.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(locale="en-US", viewport={"width": 400, "height": 300})
    yield context
    await context.close()


class Watching:
    """A page of the site with the player in it. `complaints`: what the browser wrote as an error."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.complaints.append(text)

    @property
    def player(self) -> Frame:
        return self.page.frames[1]

    async def events(self, name: str) -> list[list[Any]]:
        listed: list[list[Any]] = await self.page.evaluate("window.events")
        return [event[1:] for event in listed if event[0] == name]

    async def names(self) -> list[str]:
        names: list[str] = await self.page.evaluate("window.events.map(([name]) => name)")
        return names

    async def wait_for(self, name: str, times: int = 1) -> list[list[Any]]:
        await self.page.wait_for_function(
            "([name, times]) => window.events.filter((event) => event[0] === name).length >= times",
            arg=[name, times],
            timeout=10_000,
        )
        return await self.events(name)

    async def control(self, call: str) -> Any:
        return await self.page.evaluate(f"window.controller.{call}")

    async def position(self) -> float:
        position: float = await self.player.evaluate("document.querySelector('video').currentTime")
        return position

    async def error_code(self) -> str:
        await self.player.locator("body[data-error-code]").wait_for()
        code: str = await self.player.locator("[data-code]").inner_text()
        assert await self.player.locator("body").get_attribute("data-error-code") == code
        return code


async def _embed(context: BrowserContext, kollus: StandIn, site: Site, token: str, **more: str) -> Watching:
    gateway = f"http://localhost:{kollus.port}"
    url = kollus.url(token, **more).replace("&", "&amp;")
    site.pages["/watch"] = WATCH_PAGE.format(gateway=gateway, url=url)
    watching = Watching(await context.new_page())
    await watching.page.goto(f"{site.url}/watch")
    return watching


async def _open(
    context: BrowserContext,
    kollus: StandIn,
    site: Site,
    item: dict[str, Any] | None = None,
    duration: int = 20,
    **more: str,
) -> Watching:
    """Embed a good player (`item`: claims of the content, `more`: of the URL) and wait until it is ready."""
    key = kollus.key_of(duration)
    token = sign(claims(key, mc=[{"mckey": key} | (item or {})]))
    watching = await _embed(context, kollus, site, token, **more)
    await watching.wait_for("ready")
    return watching


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"].split(":")[0])
async def test_page_counts_as_the_scripted_viewer_does(
    context: BrowserContext, kollus: StandIn, example: dict[str, Any]
) -> None:
    page = await context.new_page()
    await page.goto(f"http://localhost:{kollus.port}/_sandbox/")
    content_info, block_info = await page.evaluate(
        """async ({ duration, block_count, steps }) => {
          const { Record } = await import("/_player/static/lms.js");
          const record = new Record(duration, block_count);
          for (const [name, ...values] of steps) record[name](...values);
          return [record.contentInfo(), record.blockInfo()];
        }""",
        example,
    )
    assert content_info == example["content_info"]
    assert block_info["blocks"].items() >= example["blocks"].items()
    assert block_info["sessions"] == example["sessions"]


async def test_controller_plays_seeks_and_hears_of_it(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    watching = await _open(context, kollus, site)
    assert [play["kind"] for play in site.plays] == ["1", "3"]
    assert (await watching.names())[:3] == ["open", "loaded", "ready"]
    await watching.control("mute()")
    await watching.control("play(4)")
    await watching.wait_for("play")
    percent, position, duration = (await watching.wait_for("progress"))[0]
    assert (position >= 4, percent, duration) == (True, int(position * 5), 20)
    await watching.control("set_speed(9)")
    assert await watching.wait_for("speedchange") == [[4]]
    await watching.control("pause()")
    await watching.wait_for("pause")
    await watching.control("set_current_time(12)")
    await watching.wait_for("seeked", 2)
    assert await watching.position() == 12
    await watching.control("set_volume(30)")
    assert (await watching.wait_for("volumechange", 2))[-1] == [30]
    assert await watching.control("get_current_time()") >= 4
    assert await watching.control("get_player_type()") == "html5"
    assert await watching.control("get_player_id()") == site.plays[0]["player_id"]
    assert await watching.control("get_video_info()") == {"width": 640, "height": 360}
    record = await watching.page.evaluate("new Promise((done) => controller.get_lms_data(done))")
    assert record["content_info"]["last_play_at"] == 12
    assert watching.complaints == []


async def test_film_that_ends_is_done_and_can_be_seen_again(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    watching = await _open(context, kollus, site, s="19", mute="", autoplay="")
    await watching.wait_for("done")
    assert (await watching.events("progress"))[-1] == [100, 20, 20]
    assert "pause" not in await watching.names()
    await until(lambda: bool(site.records()) and site.records()[-1]["content_info"]["last_play_at"] == 20)
    await watching.control("play()")
    await watching.wait_for("play", 2)
    assert await watching.position() < 15
    assert len(site.plays) == 2  # asked once per opening
    assert watching.complaints == []


async def test_connection_lives_as_long_as_the_player_answers(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    page = await context.new_page()
    messages = (
        "window.messages = []; addEventListener('message', ({data}) => messages.push(JSON.parse(data)));"
    )
    url = kollus.url(sign(claims(kollus.key_of(20)))).replace("&", "&amp;")
    site.pages["/raw"] = f'<iframe src="{url}"></iframe><script>{messages}</script>'
    await page.goto(f"{site.url}/raw")

    async def say(event: str, uid: str) -> None:
        await page.evaluate(
            "(message) => frames[0].postMessage(JSON.stringify(message), '*')",
            {"event_name": event, "uid": uid, "data": True},
        )

    await say("c_is_connected", "kollus-postmessage-7")  # nobody said hello yet
    await say("c_initialize", "kollus-postmessage-7")
    await page.wait_for_function("messages.some(({event_name}) => event_name === 'e_ready')")
    heard = await page.evaluate("messages")
    assert [message["event_name"] for message in heard[:2]] == ["e_initialized", "e_connected"]
    assert heard[0]["data"] == "html5"
    await say("c_is_connected", "somebody else")
    await say("c_is_connected", "kollus-postmessage-7")
    await page.wait_for_function("messages.at(-1).event_name === 'e_connected'")
    heard = await page.evaluate("messages")
    assert [message["event_name"] for message in heard].count("e_connected") == 2
    assert {message["uid"] for message in heard} == {"kollus-postmessage-7"}


async def test_broken_url_tells_its_code_to_the_viewer_and_to_the_page(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    watching = await _embed(context, kollus, site, sign(claims(kollus.key_of(20), expt=1)))
    assert await watching.wait_for("error") == [[4085]]
    assert await watching.error_code() == "4085"
    detail = await watching.control("get_error_detail()")
    assert (detail["code"], detail["message"]) == (4085, "The play address has expired.")


@pytest.mark.parametrize(("kind", "code"), [("1", 8673), ("3", 8675)])
async def test_refusal_shows_the_words_of_the_site(
    context: BrowserContext, kollus: StandIn, site: Site, kind: str, code: int
) -> None:
    site.answers[kind] = Answer({"result": 0, "message": "Refunded on Monday."})
    watching = await _embed(context, kollus, site, sign(claims(kollus.key_of(20))))
    assert await watching.wait_for("error") == [[code]]
    assert await watching.error_code() == str(code)
    assert await watching.player.locator("[data-message]").inner_text() == "Refunded on Monday."
    assert "ready" not in await watching.names()
    assert site.reports == []


async def test_clip_is_not_sent_before_approval(kollus: StandIn, site: Site) -> None:
    address = kollus.url(sign(claims(kollus.key_of(20))))
    await kollus.http.get(address, headers={"referer": f"{site.url}/"})
    (opened,) = await kollus.log("open")
    media = f"/_player/views/{opened['response']['view']}"
    assert (await kollus.http.get(f"{media}/media")).status_code == 403
    await kollus.http.post(f"{media}/open", json={"player_id": "1", "device_name": "x"})
    assert (await kollus.http.get(f"{media}/media")).status_code == 200


async def test_browser_reports_to_the_site_at_once_and_every_period(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    await kollus.settings(lms_period_s=0.5)
    watching = await _open(context, kollus, site, s="3", mute="", uservalue0="ticket")
    await watching.control("play()")
    await until(lambda: len(site.reports) >= 3)
    await watching.control("pause()")
    await watching.wait_for("pause")
    position = await watching.position()
    await until(lambda: site.records()[-1]["content_info"]["last_play_at"] == int(position))
    first, *_, last = site.records()
    assert (first["content_info"]["last_play_at"], first["content_info"]["playtime"]) == (3, 0)
    assert first["content_info"]["start_at"] == last["content_info"]["start_at"]
    assert last["user_info"]["player_id"] == site.plays[0]["player_id"]
    assert last["user_info"]["host_name"] == "127.0.0.1"
    assert {report["uservalue0"] for report in site.reports} == {"ticket"}
    assert {report["seen"] for report in site.reports} == {"0"}
    assert watching.complaints == []


async def test_page_that_is_left_reports_a_last_time(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    watching = await _open(context, kollus, site, s="10", mute="", autoplay="")
    await watching.wait_for("progress", 2)
    await watching.page.goto("about:blank")
    await until(lambda: site.records()[-1]["content_info"]["playtime"] >= 1)
    assert site.records()[-1]["content_info"]["last_play_at"] >= 11


async def test_held_reports_of_the_page_wait_for_the_flush(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    await kollus.settings(lms="hold", duplicate=2)
    watching = await _open(context, kollus, site, mute="", autoplay="")
    await watching.wait_for("play")
    await watching.control("pause()")
    await watching.wait_for("pause")
    assert site.reports == []

    async def flushed() -> bool:
        await kollus.flush()
        return len(site.reports) >= 4

    await until(flushed)
    play, same_play, pause, same_pause = site.records()
    assert (play, pause) == (same_play, same_pause)
    assert play["content_info"]["runtime"] <= pause["content_info"]["runtime"]


async def test_reports_wait_in_the_page_while_the_site_is_down(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    watching = await _open(context, kollus, site, mute="")
    await site.close()
    await watching.control("play()")
    await watching.wait_for("play")
    for position in (5, 9):
        await watching.control(f"set_current_time({position})")
        await watching.wait_for("seeked", 1 if position == 5 else 2)
    await site.open()
    await until(lambda: len(site.reports) >= 3)
    assert [record["content_info"]["last_play_at"] for record in site.records()[:3]] == [0, 5, 9]


@pytest.mark.parametrize(("end", "reached"), [(-1, 8), (6, 6)])
async def test_forbidden_seeking_does_not_happen(
    context: BrowserContext, kollus: StandIn, site: Site, end: int, reached: int
) -> None:
    watching = await _open(context, kollus, site, {"seek": False, "seekable_end": end}, s="8", mute="")
    await watching.control("set_current_time(15)")
    await watching.control("set_current_time(6)")
    await watching.control("play()")
    await until(lambda: len(site.reports) >= 1)
    assert site.records()[0]["content_info"]["last_play_at"] == reached


async def test_forbidden_speed_cannot_be_chosen(context: BrowserContext, kollus: StandIn, site: Site) -> None:
    watching = await _open(context, kollus, site, {"disable_playrate": True})
    assert not await watching.player.locator("[data-speed]").is_visible()
    await watching.control("set_speed(2)")
    await watching.control("set_volume(10)")
    await watching.wait_for("volumechange")
    assert await watching.events("speedchange") == []


async def test_only_the_play_section_can_be_seen(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    site.answers["1"] = Answer({"result": 1, "play_section": {"start_time": 5, "end_time": 7}})
    watching = await _open(context, kollus, site, s="15", mute="", autoplay="")
    await watching.control("set_current_time(12)")
    await watching.wait_for("done")
    assert 7 <= await watching.position() < 9
    assert site.records()[0]["content_info"]["last_play_at"] == 5


@pytest.mark.parametrize(
    ("terms", "code"), [({"expiration_playtime": 1}, "8686"), ({"expiration_date": 4}, "7000")]
)
async def test_film_stops_when_what_was_allowed_is_over(
    context: BrowserContext, kollus: StandIn, site: Site, terms: dict[str, int], code: str
) -> None:
    if "expiration_date" in terms:
        terms = {"expiration_date": claims("")["expt"] - 300 + terms["expiration_date"]}
    site.answers["1"] = Answer({"result": 1} | terms)
    watching = await _open(context, kollus, site, mute="", autoplay="")
    assert await watching.error_code() == code
    assert await watching.wait_for("error") == [[int(code)]]
    assert await watching.player.evaluate("document.querySelector('video').paused") is True
    await until(lambda: bool(site.reports))


async def test_watermark_comes_and_goes(context: BrowserContext, kollus: StandIn, site: Site) -> None:
    key = kollus.key_of(20)
    policy = {
        "code_kind": "viewer 7",
        "font_size": 20,
        "font_color": "FF0000",
        "show_time": 1,
        "hide_time": 1,
    }
    token = sign(claims(key, video_watermarking_code_policy=policy | {"alpha": 128}))
    watching = await _embed(context, kollus, site, token)
    await watching.wait_for("ready")
    mark = watching.player.locator("[data-watermark]")
    await mark.wait_for(state="visible")
    assert await mark.inner_text() == "viewer 7"
    style = await mark.evaluate("(element) => [element.style.fontSize, element.style.color]")
    assert style == ["20px", "rgb(255, 0, 0)"]
    await mark.wait_for(state="hidden")
    await mark.wait_for(state="visible")
    assert watching.complaints == []


async def test_viewer_can_do_everything_with_the_bar(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    watching = await _open(context, kollus, site, duration=70)
    player = watching.player
    await player.get_by_role("button", name="Play").first.click()
    await watching.wait_for("play")
    await player.get_by_label("Mute", exact=True).click()
    await player.get_by_label("Speed").select_option("1.5")
    await player.get_by_label("Position").fill("15")
    await watching.wait_for("seeked")
    await player.get_by_label("Full screen").click()
    await player.wait_for_function("document.fullscreenElement !== null")
    await player.get_by_label("Pause").click()
    await watching.wait_for("pause")
    assert await watching.position() >= 15
    assert await watching.events("speedchange") == [[1.5]]
    assert await watching.events("muted") == [[True]]


async def test_narrow_phone_in_korean_has_room_for_the_bar(
    chromium: Browser, kollus: StandIn, site: Site
) -> None:
    context = await chromium.new_context(locale="ko-KR", viewport={"width": 320, "height": 180})
    page = await context.new_page()
    await page.goto(kollus.url(sign(claims(kollus.key_of(20)))), referer=f"{site.url}/")
    await page.locator("[data-state=ready]").wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    for label in ("재생", "소리 끄기", "전체 화면", "속도"):
        box = await page.get_by_label(label, exact=True).last.bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= 320, box["height"] >= 44) == (True, True, True)
    await context.close()


async def test_a_player_that_another_device_replaces_says_so_and_stops(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    await kollus.settings(device_policy="one_at_a_time")
    watching = await _open(context, kollus, site, duration=70)
    await watching.control("mute()")
    await watching.control("play()")
    await watching.wait_for("play")
    other = await kollus.play(sign(claims(kollus.key_of(20))), (0, 1), device="Another")
    assert other["code"] is None
    assert await watching.wait_for("error") == [[8479]]
    assert await watching.error_code() == "8479"
    assert await watching.player.evaluate("document.querySelector('video').paused")


async def test_public_video_plays_for_nobody_in_particular(
    context: BrowserContext, kollus: StandIn, site: Site
) -> None:
    await kollus.settings(channel_public=True)
    page = await context.new_page()
    await page.goto(f"http://localhost:{kollus.port}/{kollus.key_of(20)}", referer=f"{site.url}/")
    await page.get_by_role("button", name="Play").first.click()
    await page.locator("[data-playing=true]").wait_for()
    await page.close()
    assert (site.plays, site.reports) == ([], [])
