"""Promise 6: who may watch is asked at every play, from the ledger."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import update

from server.access import service as access
from server.access.models import Grant
from server.clock import now
from server.database.session import current_session, transaction
from server.playback.tickets import ticket_of
from tests.conftest import Site
from tests.factories import TESTER
from tests.figures import figure
from tests.playback.conftest import PLAY, KollusPlayer, Person, Stage, grant

LATEST = 1893455999


async def test_an_owner_may_play_without_end(player: KollusPlayer) -> None:
    assert await player.ask(1) == {"kind": 1, "result": 1, "expiration_date": 0}
    assert await player.ask(3) == {"kind": 3, "result": 1, "content_expired": 0}


@pytest.mark.parametrize(
    ("ends_at", "told"),
    [
        (datetime(2028, 2, 3, 4, 5, 6, tzinfo=UTC), 1833163506),
        (datetime(2090, 1, 1, tzinfo=UTC), LATEST),
    ],
)
async def test_the_end_of_a_grant_is_told_and_never_beyond_what_kollus_takes(
    stage: Stage, vera: Person, ends_at: datetime, told: int
) -> None:
    await grant(vera.viewer_id, stage.course, ends_at=ends_at)
    player = await vera.open_player(stage.path(stage.lectures[1]))
    assert (await player.ask(1))["expiration_date"] == told


async def test_a_revoked_grant_is_refused_at_the_next_play(stage: Stage, vera: Person) -> None:
    grant_id = await grant(vera.viewer_id, stage.course)
    player = await vera.open_player(stage.path(stage.lectures[1]))
    assert (await player.ask(1))["result"] == 1
    async with transaction():
        await access.revoke(TESTER, grant_id)
    for kind in (1, 3):
        refusal = await player.ask(kind)
        assert refusal["result"] == 0
        assert "cannot watch" in refusal["message"]


async def test_a_grant_that_ran_out_meanwhile_is_refused(stage: Stage, vera: Person) -> None:
    grant_id = await grant(vera.viewer_id, stage.course, ends_at=now() + timedelta(hours=1))
    player = await vera.open_player(stage.path(stage.lectures[1]))
    assert (await player.ask(1))["result"] == 1
    async with transaction():
        await current_session().execute(update(Grant).where(Grant.id == grant_id).values(ends_at=now()))
    answer = await player.ask(1)
    assert answer["result"] == 0
    assert "message" in answer


async def test_a_refusal_speaks_the_language_of_the_page(stage: Stage, vera: Person) -> None:
    grant_id = await grant(vera.viewer_id, stage.course)
    player = await vera.open_player(stage.path(stage.lectures[1]) + "?lang=ko")
    async with transaction():
        await access.revoke(TESTER, grant_id)
    assert "볼 수 없어요" in (await player.ask(1))["message"]


async def test_a_preview_may_be_played_by_anybody(stage: Stage, stranger: Person) -> None:
    player = await stranger.open_player(stage.preview_path)
    assert (await player.ask(1))["result"] == 1
    assert (await player.ask(3))["result"] == 1


async def test_a_guest_plays_by_the_order_key(stage: Stage, guest: Person) -> None:
    await grant(guest.viewer_id, stage.course)
    player = await guest.open_player(stage.path(stage.lectures[1]))
    assert player.claims["cuid"] == f"o-{guest.viewer_id}"
    assert (await player.ask(1))["result"] == 1


NOT_OURS: list[dict[str, Any]] = [
    {"uservalues": None},
    {"uservalues": "{}"},
    {"uservalues": "not json"},
    {"uservalues": "[" * 100_000},
    {"uservalues": json.dumps({"uservalue0": 7})},
    {"uservalues": json.dumps({"uservalue0": "0000000000000000.forged"})},
    {"uservalues": json.dumps({"uservalue0": "☃"})},
    {"uservalues": '{"uservalue0": "\\ud800"}'},
    {"client_user_id": "u-somebodyelse0000"},
    {"client_user_id": None},
    {"media_content_key": "hBftp9d6"},
    {"media_content_key": None},
    {"kind": None},
    {"kind": "2"},
    {"kind": "one"},
    {"kind": "9" * 5000},
]


async def test_a_question_that_is_not_about_a_play_of_ours_is_refused_with_a_signature(
    player: KollusPlayer,
) -> None:
    for changes in NOT_OURS:
        refusal = await player.ask(**({"kind": 1} | changes))
        assert refusal["result"] == 0, changes
        assert "reload" in refusal["message"]


async def test_a_ticket_of_one_play_does_not_open_another_lecture(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    light = await vera.open_player(stage.path(stage.lectures[1]))
    sound = await vera.open_player(stage.path(stage.lectures[2]))
    assert (await light.ask(1, uservalues=json.dumps(sound.user_values)))["result"] == 0


async def test_a_well_made_ticket_of_no_play_is_refused(player: KollusPlayer) -> None:
    player.user_values["uservalue0"] = ticket_of("0" * 16)
    assert (await player.ask(1))["result"] == 0


async def test_numbers_are_integers_and_the_older_device_field_does_no_harm(
    stage: Stage, vera: Person
) -> None:
    await grant(vera.viewer_id, stage.course, ends_at=now() + timedelta(days=3))
    player = await vera.open_player(stage.path(stage.lectures[1]))
    answer = await player.ask(1, device_name=None, deviceName="Old phone")
    assert {name: type(value) for name, value in answer.items()} == {
        "kind": int,
        "result": int,
        "expiration_date": int,
    }


async def test_any_origin_may_ask_and_read_the_header(stranger: Person) -> None:
    preflight = await stranger.http.options(PLAY, headers={"Origin": "https://v.kr.kollus.com"})
    assert preflight.status_code == 204
    answer = await stranger.http.post(PLAY, headers={"Origin": "https://v.kr.kollus.com"})
    assert answer.status_code == 200
    for told in (preflight, answer):
        assert told.headers["Access-Control-Allow-Origin"] == "*"
        assert told.headers["Access-Control-Expose-Headers"] == "X-KOLLUS-USERKEY"
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_noise_is_refused_with_a_signature(stranger: Person) -> None:
    bodies = [b"", b"\xff\xfe\x00", b"kind=1&kind=3", b"%ff=%fe&uservalues=%00", b"{" * 9000]
    types = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""]
    for body, content_type in product(bodies, types):
        answer = await stranger.http.post(PLAY, content=body, headers={"Content-Type": content_type})
        assert answer.status_code == 200, (body, content_type)
        assert answer.headers["X-KOLLUS-USERKEY"] == stranger.settings.kollus_custom_key
        assert answer.text.count(".") == 2


async def test_the_play_callback_asks_the_database_three_times(site: Site, player: KollusPlayer) -> None:
    for kind in (1, 3):
        with site.statements() as statements:
            assert (await player.ask(kind))["result"] == 1
        assert len(statements) <= 3, statements


async def test_every_answer_is_counted_by_kind_and_outcome(stage: Stage, vera: Person) -> None:
    grant_id = await grant(vera.viewer_id, stage.course)
    player = await vera.open_player(stage.path(stage.lectures[1]))

    async def rises(kind: str, outcome: str, asked: object) -> None:
        name, labels = "playbill_kollus_callbacks_total", {"kind": kind, "outcome": outcome}
        before = await figure(vera.http, name, **labels)
        await player.ask(asked)
        assert await figure(vera.http, name, **labels) == before + 1, labels

    for kind in (1, 3):
        await rises(f"play_{kind}", "allowed", kind)
    async with transaction():
        await access.revoke(TESTER, grant_id)
    for kind in (1, 3):
        await rises(f"play_{kind}", "refused", kind)
    await rises("play_unknown", "invalid", "2")
    player.user_values["uservalue0"] = ticket_of("0" * 16)
    await rises("play_1", "invalid", 1)
