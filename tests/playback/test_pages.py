"""The pages with a player: who may open them, what they hold, where they lead, what they cost."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from server.access.models import Grant, GrantState
from server.clock import now
from server.database.session import current_session, transaction
from server.playback import service as playback
from tests.conftest import Site
from tests.factories import MEDIA_KEYS, take_video_away
from tests.playback.conftest import STARTED_AT, KollusPlayer, Person, Stage, grant, player_url_in


async def finish(player: KollusPlayer, start_at: int = STARTED_AT) -> None:
    await player.tell(player.report(seen=range(10), position=999, start_at=start_at))


# --- the door


async def test_without_a_grant_the_watch_page_leads_to_the_course_page(
    stage: Stage, vera: Person, guest: Person, stranger: Person
) -> None:
    for person in (vera, guest, stranger):
        for path in (stage.path(stage.lectures[1]), f"/learn/{stage.course.slug}"):
            answer = await person.http.get(path)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/courses/stagecraft")


async def test_a_free_preview_is_no_grant(stage: Stage, vera: Person) -> None:
    answer = await vera.http.get(stage.path(stage.lectures[0]))
    assert answer.headers["Location"] == "/courses/stagecraft"


@pytest.mark.parametrize("how", ["revoked", "expired", "suspended", "not begun"])
async def test_a_closed_grant_opens_nothing(stage: Stage, vera: Person, how: str) -> None:
    yesterday, tomorrow = now() - timedelta(days=1), now() + timedelta(days=1)
    terms = {"expired": {"ends_at": yesterday}, "not begun": {"starts_at": tomorrow}}.get(how, {})
    grant_id = await grant(vera.viewer_id, stage.course, **terms)
    if how in ("revoked", "suspended"):
        async with transaction():
            await current_session().execute(
                update(Grant).where(Grant.id == grant_id).values(state=GrantState(how))
            )
    answer = await vera.http.get(stage.path(stage.lectures[1]))
    assert answer.headers["Location"] == "/courses/stagecraft"


async def test_what_does_not_exist_or_belongs_elsewhere_is_not_found(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    lecture, farewell = stage.lectures[1], stage.farewell
    for path in (
        "/learn/nothing",
        f"/learn/nothing/{lecture.id}",
        f"/learn/{stage.course.slug}/{'0' * 16}",
        f"/learn/{stage.course.slug}/{farewell.id}",
        f"/learn/{stage.archived.slug}",
        f"/learn/{stage.archived.slug}/{farewell.id}",
        f"/courses/{stage.course.slug}/preview/{lecture.id}",
        f"/courses/{stage.course.slug}/preview/{farewell.id}",
        f"/courses/{stage.course.slug}/preview/%00",
        f"/courses/{stage.archived.slug}/preview/{farewell.id}",
    ):
        assert (await vera.http.get(path)).status_code == 404, path


async def test_an_archived_course_stays_with_its_owners(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.archived)
    player = await vera.open_player(f"/learn/{stage.archived.slug}/{stage.farewell.id}")
    assert (await player.ask(1))["result"] == 1


# --- what the pages hold


async def test_pages_of_those_who_may_not_watch_hold_no_key_and_no_token(
    stage: Stage, vera: Person, guest: Person, stranger: Person
) -> None:
    for person in (vera, guest, stranger):
        for path in (
            "/",
            "/courses",
            f"/courses/{stage.course.slug}",
            "/learn",
            stage.path(stage.lectures[1]),
        ):
            page = (await person.http.get(path, follow_redirects=True)).text
            assert not [key for key in MEDIA_KEYS if key in page], path
            assert "jwt=" not in page


async def test_a_player_page_holds_the_token_of_its_own_lecture_alone(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    page = (await vera.http.get(stage.path(stage.lectures[1]))).text
    # Not even the own key stands there in clear text: it is inside the token.
    assert not [key for key in MEDIA_KEYS if key in page]
    assert page.count("<iframe") == 1


async def test_player_pages_are_never_cached_and_may_frame_kollus_alone(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    gateway = vera.settings.kollus_gateway_url
    answer = await vera.http.get(stage.path(stage.lectures[1]))
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"frame-src {gateway};" in answer.headers["Content-Security-Policy"] + ";"
    assert f"script-src 'self' {gateway};" in answer.headers["Content-Security-Policy"]


async def test_the_player_link_is_signed_for_minutes_and_for_one_person(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    assert player.claims["cuid"] == f"u-{vera.viewer_id}"
    assert 240 <= player.claims["expt"] - now().timestamp() <= 300
    assert [item["mckey"] for item in player.claims["mc"]] == [stage.lectures[1].media_content_key]
    assert player.claims["video_watermarking_code_policy"]["code_kind"] == player.claims["cuid"]
    assert not {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"} & player.claims.keys()
    again = await vera.open_player(stage.path(stage.lectures[1]))
    assert again.claims["cuid"] == player.claims["cuid"]
    assert again.user_values["uservalue0"] != player.user_values["uservalue0"]


# --- previews


async def test_a_preview_plays_for_a_stranger_and_tells_nothing_of_a_person(
    stage: Stage, stranger: Person
) -> None:
    player = await stranger.open_player(stage.preview_path)
    assert player.claims["cuid"].startswith("p-")
    assert player.query["s"] == "0"
    assert "video_watermarking_code_policy" not in player.claims


async def test_an_owner_watches_a_preview_on_the_watch_page(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    answer = await vera.http.get(stage.preview_path)
    assert answer.headers["Location"] == stage.path(stage.lectures[0])


# --- going on


async def test_watching_resumes_where_it_stopped_and_starts_again_after_the_end(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    assert player.query["s"] == "0"
    await player.tell(player.report(seen=[0, 1], position=13))
    resumed = await vera.open_player(stage.path(stage.lectures[1]))
    assert resumed.query["s"] == "13"
    await finish(resumed, start_at=STARTED_AT + 100)
    assert (await vera.open_player(stage.path(stage.lectures[1]))).query["s"] == "0"


async def test_continuing_opens_the_last_unfinished_lecture_then_the_first_unfinished_then_the_first(
    stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course)
    first, second, third = stage.lectures

    async def continued() -> str:
        return (await vera.http.get(f"/learn/{stage.course.slug}")).headers["Location"].rsplit("/", 1)[1]

    assert await continued() == first.id
    begun = await vera.open_player(stage.path(third))
    await begun.tell(begun.report(seen=[0], position=9, start_at=STARTED_AT))
    assert await continued() == third.id
    await finish(begun, STARTED_AT + 100)
    assert await continued() == first.id
    for start_at, lecture in ((STARTED_AT + 200, first), (STARTED_AT + 300, second)):
        await finish(await vera.open_player(stage.path(lecture)), start_at)
    assert await continued() == first.id


async def test_the_page_offers_the_next_lecture_across_sections(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    second, third = stage.lectures[1:]
    page = (await vera.http.get(stage.path(second))).text
    assert page.count(f'href="{stage.path(third)}"') == 3  # below the player, over it at its end, in the list
    assert "last lecture" in (await vera.http.get(stage.path(third))).text


async def test_a_lecture_without_a_video_says_so(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    await take_video_away(stage.lectures[1])
    page = await vera.http.get(stage.path(stage.lectures[1]))
    assert page.status_code == 200
    assert player_url_in(page.text) is None
    assert "not here yet" in page.text


async def test_a_lecture_that_is_coming_is_no_link_and_is_passed_over(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    first, coming, third = stage.lectures
    await take_video_away(coming)
    page = (await vera.http.get(stage.path(first))).text
    told = page.split('class="lecture')[3]
    assert coming.title["en"] in told
    assert "coming" in told
    assert stage.path(coming) not in page
    assert page.count(f'href="{stage.path(third)}"') == 3  # it is the next one
    await take_video_away(third)
    assert "last lecture" in (await vera.http.get(stage.path(first))).text


async def test_who_has_seen_all_but_what_is_coming_has_seen_all(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    first, coming, third = stage.lectures
    await finish(await vera.open_player(stage.path(coming)), STARTED_AT)
    await take_video_away(coming)
    for start_at, lecture in ((STARTED_AT + 100, first), (STARTED_AT + 200, third)):
        shelf = (await vera.http.get("/learn")).text
        assert "Watched to the end" not in shelf
        opened = await vera.http.get(f"/learn/{stage.course.slug}")
        assert opened.headers["Location"] == stage.path(lecture)
        await finish(await vera.open_player(stage.path(lecture)), start_at)

    assert "Watched to the end" in (await vera.http.get("/learn")).text
    assert "100% watched" in (await vera.http.get(stage.path(first))).text


# --- the shelf


async def test_the_shelf_of_a_stranger_asks_to_sign_in_and_an_empty_one_says_so(
    stage: Stage, vera: Person, stranger: Person
) -> None:
    assert (await stranger.http.get("/learn")).headers["Location"] == "/login?next=/learn"
    assert "No course here yet" in (await vera.http.get("/learn")).text


async def test_the_shelf_shows_the_last_opened_first_with_what_is_left(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    await grant(vera.viewer_id, stage.archived)
    page = (await vera.http.get("/learn")).text
    assert page.index(stage.archived.slug) < page.index(stage.course.slug)
    player = await vera.open_player(stage.path(stage.lectures[1]))
    in_a_minute = int(now().timestamp()) + 60
    await finish(player, in_a_minute)
    page = (await vera.http.get("/learn")).text
    assert page.index(stage.course.slug) < page.index(stage.archived.slug)
    assert "33% watched" in page  # 45 s of 135
    assert "2 min left" in page


async def test_home_continues_in_the_order_of_the_shelf_and_leaves_out_what_is_finished(
    stage: Stage, vera: Person
) -> None:
    async def continued() -> list[str]:
        home = (await vera.http.get("/")).text
        row = home.split('id="continue"')[1].split("</section>")[0] if 'id="continue"' in home else ""
        return re.findall(r'<a href="/learn/([\w-]+)">', row)

    await grant(vera.viewer_id, stage.course)
    await grant(vera.viewer_id, stage.archived)
    assert await continued() == ["repertoire", "stagecraft"]

    soon = int(now().timestamp()) + 60
    await finish(await vera.open_player(stage.path(stage.lectures[1])), soon)
    assert await continued() == ["stagecraft", "repertoire"]

    await finish(await vera.open_player(f"/learn/repertoire/{stage.farewell.id}"), soon + 60)
    assert await continued() == ["stagecraft"]


async def test_a_disputed_course_stays_on_the_shelf_but_leads_nowhere(stage: Stage, vera: Person) -> None:
    grant_id = await grant(vera.viewer_id, stage.course)
    async with transaction():
        await current_session().execute(
            update(Grant).where(Grant.id == grant_id).values(state=GrantState.SUSPENDED)
        )
    page = (await vera.http.get("/learn")).text
    assert "in dispute" in page
    assert f'href="/learn/{stage.course.slug}"' not in page


# --- what they cost


async def test_pages_keep_to_their_statements(site: Site, stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    await finish(await vera.open_player(stage.path(stage.lectures[1])))
    for path, budget in (
        (stage.path(stage.lectures[2]), 6),
        (f"/learn/{stage.course.slug}", 5),
        ("/learn", 4),
        (stage.preview_path, 4),
    ):
        with site.statements() as statements:
            assert (await vera.http.get(path)).status_code in (200, 303)
        assert len(statements) <= budget, (path, statements)


async def test_course_progress_counts_a_complete_lecture_whole(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    await player.tell(player.report(seen=range(9), position=41))
    found = (await playback.course_progress([vera.viewer_id]))[stage.course.id]
    assert (found.percent, found.seconds_left) == (33, 90)
    assert found.last_watched_at.timestamp() == STARTED_AT + 10
