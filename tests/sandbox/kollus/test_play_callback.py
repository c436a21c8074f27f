"""How the site's answers to the play callback are read, and what each mistake costs."""

import json
import time

import pytest

from .support import CUSTOM_KEY, Answer, Site, StandIn, claims, query, sign

REFUSALS: list[tuple[str, Answer, int]] = [
    ("1", Answer(body=""), 8670),
    ("1", Answer(status=500), 8670),
    ("1", Answer(status=302), 8670),
    ("1", Answer(user_key=None), 8671),
    ("1", Answer(user_key="ab" * 32), 8671),
    ("1", Answer(body=sign({"data": {"result": 1}}, "another-key")), 8671),
    ("1", Answer(body=sign({"data": {"result": 1}}) + "\n"), 8671),
    ("1", Answer(body=json.dumps({"jwt": sign({"data": {"result": 1}})})), 8671),
    ("1", Answer(body=sign("not JSON")), 8672),
    ("1", Answer(body=sign([1])), 8672),
    ("1", Answer(body=sign({"result": 1})), 8672),
    ("1", Answer([{"result": 1}]), 8672),
    ("1", Answer({}), 8672),
    ("1", Answer({"result": "1"}), 8672),
    ("1", Answer({"result": True}), 8672),
    ("1", Answer({"result": 1.0}), 8672),
    ("1", Answer({"result": 2}), 8672),
    ("1", Answer({"result": 1, "expiration_date": str(int(time.time()) + 60)}), 8672),
    ("1", Answer({"result": 1, "expiration_date": 1893456000}), 8672),
    ("1", Answer({"result": 1, "expiration_date": -1}), 8672),
    ("1", Answer({"result": 1, "expiration_playtime": 60.5}), 8672),
    ("1", Answer({"result": 1, "kind": 3}), 8672),
    ("1", Answer({"result": 1, "message": None}), 8672),
    ("1", Answer({"result": 1, "play_section": {"start_time": 5, "end_time": 5}}), 8672),
    ("1", Answer({"result": 1, "play_section": [0, 5]}), 8672),
    ("1", Answer({"result": 0}), 8673),
    ("1", Answer({"result": 1, "expiration_date": 1_000_000_000}), 8673),
    ("3", Answer({"result": 1, "content_expired": 1}), 8674),
    ("3", Answer({"result": 1, "content_expired": False}), 8672),
    ("3", Answer({"result": 0}), 8675),
    ("3", Answer(user_key="ab" * 32), 8671),
]


@pytest.mark.parametrize(("kind", "answer", "code"), REFUSALS)
async def test_wrong_answer_keeps_the_film_from_starting(
    kollus: StandIn, site: Site, kind: str, answer: Answer, code: int
) -> None:
    site.answers[kind] = answer
    result = await kollus.play(sign(claims(kollus.key_of(20))), (0, 20))
    assert (result["started"], result["code"], result["lms"]) == (False, code, [])
    assert site.reports == []
    assert (await kollus.log("play"))[-1]["code"] == code


async def test_both_kinds_are_asked_once_with_what_the_site_needs(kollus: StandIn, site: Site) -> None:
    key = kollus.key_of(20)
    values = {"uservalue0": "ticket & more", "uservalue9": "끝"}
    result = await kollus.play(sign(claims(key)), (0, 20), device="Living room", parameters=values)
    assert (result["started"], result["code"]) == (True, None)
    first, third = site.plays
    assert (first.pop("kind"), third.pop("kind")) == ("1", "3")
    assert first == third
    assert json.loads(first.pop("uservalues")) == values
    assert len(first.pop("player_id")) == 32
    assert first == {"client_user_id": "user-1", "device_name": "Living room", "media_content_key": key}


async def test_same_device_keeps_its_player_id(kollus: StandIn, site: Site) -> None:
    for device in ("A", "A", "B"):
        await kollus.play(sign(claims(kollus.key_of(20))), device=device)
    first, again, other = [play["player_id"] for play in site.plays if play["kind"] == "1"]
    assert first == again != other


async def test_words_of_a_refusal_reach_the_viewer(kollus: StandIn, site: Site) -> None:
    site.answers["1"] = Answer({"result": 0, "message": "환불된 강의예요."})
    result = await kollus.play(sign(claims(kollus.key_of(20))))
    assert (result["code"], result["message"]) == (8673, "환불된 강의예요.")


async def test_slow_site_is_not_waited_for(kollus: StandIn, site: Site) -> None:
    await kollus.settings(callback_timeout_ms=100)
    site.answers["1"] = Answer(delay_s=1)
    started = time.monotonic()
    result = await kollus.play(sign(claims(kollus.key_of(20))))
    assert result["code"] == 8670
    assert time.monotonic() - started < 0.9


async def test_site_that_is_down_approves_nothing(kollus: StandIn, site: Site) -> None:
    await site.close()
    assert (await kollus.play(sign(claims(kollus.key_of(20)))))["code"] == 8670


@pytest.mark.parametrize("user", [None, ""])
async def test_nobody_is_asked_without_a_user_id(kollus: StandIn, site: Site, user: str | None) -> None:
    result = await kollus.play(sign(claims(kollus.key_of(20), cuid=user)))
    assert result["started"] is True
    assert site.plays == []


async def test_nobody_is_asked_without_a_callback_url(kollus: StandIn, site: Site) -> None:
    await kollus.settings(play_callback_url="")
    assert (await kollus.play(sign(claims(kollus.key_of(20)))))["started"] is True
    assert site.plays == []


async def test_bad_url_is_not_asked_about(kollus: StandIn, site: Site) -> None:
    result = await kollus.play(sign(claims(kollus.key_of(20), expt=1)))
    assert (result["started"], result["code"]) == (False, 4085)
    assert site.plays == []


async def test_numbers_at_their_limits_are_taken(kollus: StandIn, site: Site) -> None:
    for date in (0, 1893455999):
        site.answers["1"] = Answer(
            {
                "result": 1,
                "expiration_date": date,
                "expiration_playtime": 0,
                "vmcheck": 0,
                "disable_tvout": 1,
                "kind": 1,
            }
        )
        assert (await kollus.play(sign(claims(kollus.key_of(20)))))["started"] is True


async def test_log_shows_what_was_asked_and_answered(kollus: StandIn, site: Site) -> None:
    await kollus.play(sign(claims(kollus.key_of(20))))
    first, _ = await kollus.log("play")
    assert first["request"] == {"url": f"{site.url}/play", "form": site.plays[0]}
    assert first["response"]["data"] == {"result": 1}
    assert first["response"]["headers"]["x-kollus-userkey"] == CUSTOM_KEY


async def test_direct_stream_is_no_way_past_the_callback(kollus: StandIn, site: Site) -> None:
    site.answers["1"] = Answer({"result": 0})
    response = await kollus.http.get(
        f"/sr?{query(sign(claims(kollus.key_of(20))))}", headers={"referer": f"{site.url}/"}
    )
    assert (response.status_code, 'data-error-code="8673"' in response.text) == (200, True)


async def test_answer_with_a_voided_custom_key_starts_nothing(kollus: StandIn, site: Site) -> None:
    rotated = (await kollus.http.post("/_sandbox/custom_keys/rotate", json={"void_old": True})).json()
    key = rotated["custom_key"]
    token = sign(claims(kollus.key_of(20)))
    assert (await kollus.play(token, (0, 20), parameters={"custom_key": key}))["code"] == 8671
    site.answers = {kind: Answer(user_key=key) for kind in ("1", "3")}
    assert (await kollus.play(token, (0, 20), parameters={"custom_key": key}))["started"]
