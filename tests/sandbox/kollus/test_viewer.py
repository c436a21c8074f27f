"""The scripted viewer: what it reports, where it stops, and how its reports travel."""

import time
from typing import Any

import pytest

from server.sandbox.kollus.odd import KINDS
from tests.ports import free_port

from .support import CHANNEL_KEY, SERVICE_ACCOUNT_KEY, Answer, Site, StandIn, claims, sign


def _play(kollus: StandIn, duration: int = 20, **changes: Any) -> str:
    return sign(claims(kollus.key_of(duration), **changes))


async def test_whole_film_is_reported_at_start_every_period_and_end(kollus: StandIn, site: Site) -> None:
    result = await kollus.play(_play(kollus, 45), (0, 45))
    positions = [record["content_info"]["last_play_at"] for record in result["lms"]]
    assert positions == [0, 10, 20, 30, 40, 45]
    assert site.records() == result["lms"]


async def test_record_holds_what_the_protocol_says(kollus: StandIn, site: Site) -> None:
    before = int(time.time())
    result = await kollus.play(
        _play(kollus), (0, 10), rate=2, device="Phone", parameters={"uservalue0": "ticket"}
    )
    record = result["lms"][-1]
    assert record["user_info"] == {
        "content_provider_key": SERVICE_ACCOUNT_KEY,
        "client_user_id": "user-1",
        "player_id": site.plays[0]["player_id"],
        "hardware_id": "",
        "host_name": "127.0.0.1",
        "device": "Phone",
    }
    content = record["content_info"]
    assert before <= content.pop("start_at") <= time.time()
    assert content == {
        "encoding_profile": f"{SERVICE_ACCOUNT_KEY}-pc1-high",
        "media_content_key": kollus.key_of(20),
        "channel_key": CHANNEL_KEY,
        "duration": 20,
        "playtime": 10,
        "real_playtime": 10,
        "playtime_percent": 50,
        "last_play_at": 10,
        "runtime": 5,
        "showtime": 5,
    }
    assert record["block_info"]["block_count"] == 50
    assert [record["block_info"]["blocks"][f"b{index}"] for index in (0, 24, 25, 49)] == [1, 1, 0, 0]
    assert record["uservalues"] == {"uservalue0": "ticket"}


async def test_placeholders_are_filled_into_the_form(kollus: StandIn, site: Site) -> None:
    await kollus.settings(
        lms_url=f"{site.url}/lms?who={{CLIENT_USER_ID}}&n={{BLOCK_CNT}}&b={{BLOCK_PLAY_1}}&t={{BLOCK_TIME_1}}"
        "&at={START_AT}&p={PLAYTIME_PERCENT}&v={USERVALUE3}&none={NO_SUCH}&fixed=1",
        block_count=4,
    )
    result = await kollus.play(_play(kollus), (0, 5), parameters={"uservalue3": "한글 & more"})
    start_at = str(result["lms"][-1]["content_info"]["start_at"])
    assert site.reports[-1] == {
        "who": "user-1",
        "n": "4",
        "b": "1",
        "t": "5",
        "at": start_at,
        "p": "25",
        "v": "한글 & more",
        "none": "",
        "fixed": "1",
    }


async def test_start_stays_the_same_through_a_viewing(kollus: StandIn) -> None:
    result = await kollus.play(_play(kollus, 45), (0, 30), (5, 20))
    assert len({record["content_info"]["start_at"] for record in result["lms"]}) == 1


async def test_allowed_playtime_ends_the_film(kollus: StandIn, site: Site) -> None:
    site.answers["1"] = Answer({"result": 1, "expiration_playtime": 12})
    result = await kollus.play(_play(kollus), (0, 8), (0, 20))
    assert (result["started"], result["code"]) == (True, 8686)
    assert result["lms"][-1]["content_info"]["playtime"] == 12


async def test_expiration_date_ends_the_film(kollus: StandIn, site: Site) -> None:
    site.answers["1"] = Answer({"result": 1, "expiration_date": int(time.time()) + 15})
    result = await kollus.play(_play(kollus, 45), (0, 45))
    assert (result["started"], result["code"]) == (True, 7000)
    assert 13 <= result["lms"][-1]["content_info"]["runtime"] <= 15


@pytest.mark.parametrize("by", ["token", "callback"])
async def test_only_the_play_section_is_played(kollus: StandIn, site: Site, by: str) -> None:
    section = {"start_time": 5, "end_time": 8}
    item: dict[str, Any] = {"mckey": kollus.key_of(20)}
    if by == "token":
        item["play_section"] = section
    else:
        site.answers["1"] = Answer({"result": 1, "play_section": section})
    result = await kollus.play(sign(claims(item["mckey"], mc=[item])), (0, 20), (12, 15))
    content = result["lms"][-1]["content_info"]
    assert (content["playtime"], content["last_play_at"]) == (3, 8)


async def test_forbidden_speed_is_not_used(kollus: StandIn) -> None:
    key = kollus.key_of(20)
    result = await kollus.play(
        sign(claims(key, mc=[{"mckey": key, "disable_playrate": True}])), (0, 10), rate=2
    )
    assert result["lms"][-1]["content_info"]["showtime"] == 10


async def test_each_kind_of_odd_report_differs_from_the_documented_one_in_one_thing(
    kollus: StandIn, site: Site
) -> None:
    await kollus.settings(odd_reports=True, lms_period_s=3)
    result = await kollus.play(_play(kollus, 45), (0, 45))
    assert len(result["lms"]) > len(KINDS)
    differences = [
        _difference(documented, sent) for documented, sent in zip(result["lms"], site.records(), strict=True)
    ]
    assert set(differences) == {
        "content_info.last_play_at",
        "content_info.start_at",
        "content_info.runtime",
        "content_info.playtime",
        "block_info.block_count",
        "block_info.blocks",
        "user_info",
        "uservalues",
    }
    assert site.reports[0]["seen"] == "0"  # the other parameters stay as they are


def _difference(documented: dict[str, Any], sent: dict[str, Any]) -> str:
    """The one path at which they differ."""
    parts = [part for part in documented if documented[part] != sent[part]]
    assert len(parts) == 1, parts
    inner, other = documented[parts[0]], sent[parts[0]]
    if not isinstance(other, dict):
        return parts[0]
    names = [name for name in inner if name not in other or inner[name] != other[name]]
    assert len(names) == 1, names
    return f"{parts[0]}.{names[0]}"


async def test_chosen_kinds_of_odd_reports_come_in_turns_and_a_reset_ends_them(
    kollus: StandIn, site: Site
) -> None:
    await kollus.settings(odd_reports=["position_empty", "user_info_null"], lms="hold", duplicate=2)
    await kollus.play(_play(kollus), (0, 20))
    await kollus.flush()
    odd = [
        (record["content_info"]["last_play_at"] == "", record["user_info"] is None)
        for record in site.records()
    ]
    assert odd == [(True, False), (True, False), (False, True), (False, True)] * 2
    await kollus.http.post("/_sandbox/reset")
    await kollus.settings(lms_url=site.lms_url)
    site.reports.clear()
    result = await kollus.play(_play(kollus), (0, 5))
    assert site.records() == result["lms"]


async def test_held_reports_wait_for_the_flush(kollus: StandIn, site: Site) -> None:
    await kollus.settings(lms="hold")
    result = await kollus.play(_play(kollus), (0, 20))
    assert site.reports == []
    assert await kollus.flush() == {"delivered": len(result["lms"]), "waiting": 0}
    assert site.records() == result["lms"]
    assert await kollus.flush() == {"delivered": 0, "waiting": 0}


async def test_flush_doubles_and_shuffles_on_demand(kollus: StandIn, site: Site) -> None:
    await kollus.settings(lms="hold", duplicate=3, shuffle=True)
    result = await kollus.play(_play(kollus, 45), (0, 45))
    await kollus.flush()
    positions = [record["content_info"]["last_play_at"] for record in site.records()]
    expected = sorted([record["content_info"]["last_play_at"] for record in result["lms"]] * 3)
    assert sorted(positions) == expected
    assert positions != expected


async def test_reports_are_doubled_without_a_flush_too(kollus: StandIn, site: Site) -> None:
    await kollus.settings(duplicate=2)
    result = await kollus.play(_play(kollus), (0, 5))
    assert len(site.reports) == 2 * len(result["lms"])


async def test_reports_to_a_site_that_is_down_come_later_in_order(kollus: StandIn, site: Site) -> None:
    await kollus.settings(play_callback_url="")
    await site.close()
    first = await kollus.play(_play(kollus), (0, 20))
    assert first["started"] is True
    await site.open()
    second = await kollus.play(_play(kollus, 45), (0, 5))
    assert site.records() == first["lms"] + second["lms"]


async def test_dead_address_does_not_hold_up_another(kollus: StandIn, site: Site) -> None:
    await kollus.settings(lms_url=f"http://127.0.0.1:{free_port()}/lms?json_data={{JSON_DATA}}")
    await kollus.play(_play(kollus), (0, 5))
    await kollus.settings(lms_url=site.lms_url)
    result = await kollus.play(_play(kollus), (0, 5))
    assert site.records() == result["lms"]


async def test_nothing_is_reported_of_a_viewer_without_a_user_id(kollus: StandIn, site: Site) -> None:
    result = await kollus.play(_play(kollus, cuid=None), (0, 5))
    assert (result["started"], result["lms"], site.reports) == (True, [], [])


async def test_nothing_is_reported_without_an_lms_url(kollus: StandIn, site: Site) -> None:
    await kollus.settings(lms_url="")
    result = await kollus.play(_play(kollus), (0, 20))
    assert (result["started"], result["lms"], site.reports) == (True, [], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"url": 1},
        {"watch": [[5, 5]]},
        {"watch": [[0]]},
        {"watch": 3},
        {"rate": 0},
        {"rate": "2"},
        {"device": 1},
    ],
)
async def test_nonsense_script_is_refused(kollus: StandIn, changes: dict[str, Any]) -> None:
    body = {"url": kollus.url(_play(kollus)), "watch": [[0, 5]]} | changes
    assert (await kollus.http.post("/_sandbox/play", json=body)).status_code == 400
