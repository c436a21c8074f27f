"""Promise 7 at the door: what players report, in whatever shape and order, and what is not believed."""

import asyncio
import json
import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete

from server.clock import now
from server.database.session import current_session, release, transaction
from server.playback import repository
from server.playback import service as playback
from server.playback.models import Progress
from server.playback.records import ProgressRecord
from server.playback.tickets import play_id_of, ticket_of
from tests.conftest import Site
from tests.engines import on_sqlite
from tests.figures import figure
from tests.playback.conftest import LMS, STARTED_AT, KollusPlayer, Person, Stage, grant


async def progress(stage: Stage, vera: Person) -> ProgressRecord | None:
    """Vera's, of the second lecture."""
    found = await playback.progress_of([vera.viewer_id], [stage.lectures[1].id])
    await release()
    return found.get(stage.lectures[1].id)


async def counted(vera: Person, outcome: str) -> float:
    return await figure(vera.http, "playbill_lms_reports_total", outcome=outcome)


async def counted_odd(vera: Person) -> Counter[str]:
    told = (await vera.http.get("/metrics")).text
    found = re.findall(r'^playbill_lms_odd_fields_total\{field="(\w+)"\} (\S+)$', told, re.MULTILINE)
    return Counter({name: int(float(times)) for name, times in found})


async def forget_progress() -> None:
    async with transaction():
        await current_session().execute(delete(Progress))


async def test_a_report_becomes_progress(stage: Stage, vera: Person, player: KollusPlayer) -> None:
    await player.tell(player.report(seen=[0, 1, 2], position=13))
    stored = await progress(stage, vera)
    assert stored is not None
    assert (stored.percent, stored.last_position_s, stored.completed) == (30, 13, False)


async def test_reports_shuffled_doubled_and_late_give_the_same_progress(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    start, later = STARTED_AT, STARTED_AT + 3600
    reports = [
        *(player.report(seen=range(n), position=n * 4, start_at=start, runtime=n * 5) for n in range(1, 6)),
        player.report(seen=[8], position=36, start_at=later, runtime=3),
        player.report(seen=range(7), position=31, start_at=later, runtime=40, block_count=50),
    ]
    told = reports * 2
    random.Random(7).shuffle(told)
    for report in told:
        await player.tell(report)
    stored = await progress(stage, vera)
    assert stored is not None
    # Blocks 0-4 and 8 of ten, and 0-6 of fifty, which lie within.
    assert (stored.percent, stored.last_position_s) == (60, 31)
    assert stored.watched.last_at == (later, 40)


async def test_reports_at_the_same_moment_are_all_kept(
    site: Site, stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    await asyncio.gather(
        *(player.tell(player.report(seen=[block], position=block * 4, runtime=block)) for block in range(10))
    )
    stored = await progress(stage, vera)
    assert stored is not None
    assert (stored.percent, stored.last_position_s, stored.completed) == (100, 36, True)


async def test_completed_once_stays_completed(stage: Stage, vera: Person, player: KollusPlayer) -> None:
    await player.tell(player.report(seen=range(9), position=44))
    first = await progress(stage, vera)
    assert first is not None
    assert first.completed
    await player.tell(player.report(seen=range(10), position=1, runtime=99))
    second = await progress(stage, vera)
    assert second is not None
    assert (second.completed_at, second.percent) == (first.completed_at, 100)


async def test_a_second_delivery_changes_nothing(
    site: Site, stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    report = player.report(seen=[0], position=3)
    await player.tell(report)
    with site.statements() as statements:
        await player.tell(report)
    assert not [one for one in statements if not one.startswith("SELECT")]


async def test_the_play_keeps_the_greatest_seconds(player: KollusPlayer) -> None:
    await player.tell(player.report(seen=[0], position=30, runtime=40))
    await player.tell(player.report(seen=[0], position=10, runtime=20))
    play = await repository.get_play(play_id_of(player.user_values["uservalue0"]) or "")
    assert play is not None
    assert (play.runtime_s, play.last_position_s, play.playtime_s) == (40, 30, 10)
    assert play.started_at is not None
    assert play.started_at.timestamp() == STARTED_AT
    await release()


@pytest.mark.parametrize("where", ["body", "query", "ticket in the record"])
async def test_fields_are_read_from_wherever_the_address_puts_them(
    stage: Stage, vera: Person, player: KollusPlayer, where: str
) -> None:
    fields = {"json_data": json.dumps(player.report(seen=[0], position=3))}
    if where != "ticket in the record":
        fields["uservalue0"] = player.user_values["uservalue0"]
    in_query = where == "query"
    await vera.http.post(LMS, params=fields if in_query else {}, data={} if in_query else fields)
    assert await progress(stage, vera) is not None


async def test_numbers_may_be_strings(stage: Stage, vera: Person, player: KollusPlayer) -> None:
    report = player.report(seen=[0], position="13", start_at=str(STARTED_AT), runtime="7")
    report["block_info"] = {"block_count": "10", "blocks": {"b0": "1", "b1": "0"}}
    await player.tell(report)
    stored = await progress(stage, vera)
    assert stored is not None
    assert (stored.percent, stored.last_position_s) == (10, 13)


async def test_what_a_player_leaves_empty_does_no_harm(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    report = player.report(seen=[0], position=13)
    report["user_info"] = {"client_user_id": None}
    report["content_info"] |= {"media_content_key": "", "showtime": "0"}
    await player.tell(report | {"uservalues": []})
    assert await progress(stage, vera) is not None


async def test_a_position_beyond_the_end_is_the_end(stage: Stage, vera: Person, player: KollusPlayer) -> None:
    await player.tell(player.report(seen=[0], position=9999))
    stored = await progress(stage, vera)
    assert stored is not None
    assert stored.last_position_s == 45


@dataclass(frozen=True)
class Oddity:
    """A report of block 0 and second 13 with another value at `path`; what becomes of it, what is counted."""

    path: str
    value: object
    percent: int = 10
    position: int = 13
    odd: frozenset[str] = frozenset()

    def of(self, report: dict[str, Any]) -> dict[str, Any]:
        *parts, name = self.path.split(".")
        holder = report
        for part in parts:
            holder = holder[part]
        holder[name] = self.value
        return report

    @property
    def counted(self) -> set[str]:
        return set(self.odd or {self.path.split(".")[-1]})


ODDITIES = [
    Oddity("content_info.last_play_at", 12.7, position=12),
    *(Oddity("content_info.last_play_at", value, position=0) for value in ("", -1, None, math.nan, 10**30)),
    *(Oddity("content_info.start_at", value) for value in (None, "", 12, STARTED_AT * 1000)),
    *(Oddity("content_info.playtime", value) for value in (None, "soon", 10**12)),
    *(Oddity("content_info.runtime", value) for value in ([1], -5)),
    Oddity("content_info.duration", None),
    *(Oddity("block_info.block_count", value) for value in (None, -1, 1001)),
    Oddity("block_info.blocks", [1, *[0] * 9]),
    Oddity("block_info.blocks", "all", percent=0),
    Oddity("block_info", None, percent=0, odd=frozenset({"block_info", "block_count", "blocks"})),
    Oddity("user_info", None, odd=frozenset({"user_info", "client_user_id"})),
    Oddity("user_info.client_user_id", None),
    Oddity("uservalues", '{"uservalue0": "seen in older players"}'),
    Oddity("uservalues", [7]),
]


async def test_an_odd_field_costs_itself_and_is_counted_by_its_name(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    before = await counted_odd(vera)
    for oddity in ODDITIES:
        await forget_progress()
        player = await vera.open_player(stage.path(stage.lectures[1]))
        await player.tell(oddity.of(player.report(seen=[0], position=13)))
        stored = await progress(stage, vera)
        assert stored is not None, oddity
        assert (stored.percent, stored.last_position_s) == (oddity.percent, oddity.position), oddity
        after = await counted_odd(vera)
        assert after - before == Counter(oddity.counted), oddity
        before = after


@on_sqlite
async def test_what_is_as_documented_is_not_counted_as_odd(vera: Person, player: KollusPlayer) -> None:
    before = await counted_odd(vera)
    await player.tell(player.report(seen=[0], position="13"))
    assert await counted_odd(vera) == before


@on_sqlite
async def test_what_is_odd_is_logged_without_a_word_of_the_report(
    player: KollusPlayer, caplog: pytest.LogCaptureFixture
) -> None:
    report = player.report(seen=[0], position="ask vera@example.com")
    with caplog.at_level("DEBUG", "playbill.playback"):
        await player.tell(report)
    play_id = player.user_values["uservalue0"].partition(".")[0]
    assert [one.message for one in caplog.records if one.name == "playbill.playback"] == [
        f"a report of play {play_id} was not as documented in: last_play_at"
    ]


async def test_odd_reports_in_any_order_and_number_give_the_same_progress(stage: Stage, vera: Person) -> None:
    await grant(vera.viewer_id, stage.course)
    found = []
    for seed in range(3):
        await forget_progress()
        player = await vera.open_player(stage.path(stage.lectures[1]))
        reports = [
            *(player.report(seen=range(n), position=n * 4, runtime=n * 5) for n in range(1, 6)),
            player.report(seen=[5], position=24, start_at=None, runtime=600),
            player.report(seen=[6], position=None, runtime=700),
            player.report(seen=[7], position=30.9, runtime=None),
        ]
        told = reports * 2
        random.Random(seed).shuffle(told)
        for report in told:
            await player.tell(report)
        stored = await progress(stage, vera)
        assert stored is not None
        found.append((stored.percent, stored.last_position_s, stored.watched.furthest_s))
    assert found == [(80, 24, 30)] * 3


@pytest.mark.parametrize(
    "foreign",
    [
        {"content_info": {"media_content_key": "hBftp9d6"}},
        {"user_info": {"client_user_id": "u-somebodyelse0000"}},
        {"user_info": {"client_user_id": 7}},
    ],
)
async def test_a_report_about_another_video_or_viewer_stores_nothing_however_odd_the_rest(
    stage: Stage, vera: Person, player: KollusPlayer, foreign: dict[str, dict[str, object]]
) -> None:
    for odd in ({}, {"last_play_at": None}, {"start_at": "", "runtime": -1}):
        report = player.report(seen=[0], position=3)
        report["content_info"] |= odd
        for part, names in foreign.items():
            report[part] |= names
        before = await counted(vera, "ignored_foreign")
        await player.tell(report)
        assert await progress(stage, vera) is None
        assert await counted(vera, "ignored_foreign") == before + 1


async def test_a_viewing_of_tomorrow_does_not_become_the_latest_for_ever(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    in_two_days = int(now().timestamp()) + 2 * 86400
    await player.tell(player.report(seen=[0], position=3, start_at=in_two_days, runtime=5))
    await player.tell(player.report(seen=[1], position=9, start_at=int(now().timestamp()) + 1, runtime=10))
    stored = await progress(stage, vera)
    assert stored is not None
    assert (stored.percent, stored.last_position_s) == (20, 9)


async def test_where_two_tabs_show_a_lecture_the_one_that_went_on_has_the_last_word(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    other = await vera.open_player(stage.path(stage.lectures[1]))
    for told in (
        player.report(seen=[0], position=4, start_at=STARTED_AT, runtime=5),
        other.report(seen=[0], position=4, start_at=STARTED_AT + 10, runtime=1),
        player.report(seen=range(8), position=36, start_at=STARTED_AT, runtime=40),
    ):
        await player.tell(told, uservalue0=told["uservalues"]["uservalue0"])
    stored = await progress(stage, vera)
    assert stored is not None
    assert stored.last_position_s == 36


async def test_the_ticket_in_the_record_does_where_the_posted_one_was_lost(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    await player.tell(player.report(seen=[0], position=3), uservalue0="{USERVALUE0}")
    assert await progress(stage, vera) is not None


async def test_a_bad_ticket_stores_nothing(stage: Stage, vera: Person, player: KollusPlayer) -> None:
    for ticket in ("", "0000000000000000.AAAA", ticket_of("0" * 16), "☃", "no dot"):
        report = player.report(seen=[0], position=3) | {"uservalues": {}}
        await player.tell(report, uservalue0=ticket)
        assert await progress(stage, vera) is None, ticket


@on_sqlite
async def test_noise_is_answered_in_silence(stranger: Person) -> None:
    for body in ("", "null", "[]", "[" * 100_000, "{}", '{"content_info": 3}', '"\\ud800"'):
        answer = await stranger.http.post(LMS, data={"json_data": body, "uservalue0": "x"})
        assert (answer.status_code, answer.content) == (200, b""), body


async def test_a_megabyte_of_blocks_stores_nothing_and_is_counted(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    report = player.report(seen=[0], position=3)
    report["block_info"]["blocks"] |= {f"b{block}": 1 for block in range(100_000)}
    before = await counted(vera, "ignored_too_large")
    await player.tell(report)
    assert await progress(stage, vera) is None
    assert await counted(vera, "ignored_too_large") == before + 1


async def test_every_report_is_counted_by_its_outcome(
    stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    """What was not believed is counted, too: it is how an operator learns that a player has changed."""
    good = player.report(seen=[0], position=3)
    foreign = json.loads(json.dumps(good))
    foreign["user_info"]["client_user_id"] = "u-somebodyelse0000"
    unsigned = good | {"uservalues": {}}

    async def rises(outcome: str, report: object, **fields: str) -> None:
        before = await counted(vera, outcome)
        await player.tell(report, **fields)
        assert await counted(vera, outcome) == before + 1, outcome

    await rises("ignored_ticket", unsigned, uservalue0="0000000000000000.AAAA")
    await rises("ignored_unknown_play", unsigned, uservalue0=ticket_of("0" * 16))
    await rises("ignored_unreadable", "no report")
    await rises("ignored_unreadable", {"content_info": {"start_at": STARTED_AT}})
    await rises("ignored_foreign", foreign)
    assert await progress(stage, vera) is None
    await rises("stored", good)
    assert await progress(stage, vera) is not None


async def test_of_a_preview_no_progress_is_kept(stage: Stage, stranger: Person) -> None:
    player = await stranger.open_player(stage.preview_path)
    await player.tell(player.report(seen=[0], position=3))
    play = await repository.get_play(play_id_of(player.user_values["uservalue0"]) or "")
    assert play is not None
    assert (play.viewer_id, play.playtime_s) == (None, 10)
    await release()


async def test_an_lms_report_costs_five_statements(
    site: Site, stage: Stage, vera: Person, player: KollusPlayer
) -> None:
    for number in range(1, 4):
        with site.statements() as statements:
            await player.tell(player.report(seen=range(number), position=number, runtime=number))
        assert len(statements) <= 5, statements
