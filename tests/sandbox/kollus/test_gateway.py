"""What a player URL must be, and the code that a viewer sees when it is not."""

import re
import time
from typing import Any

import pytest

from .support import CUSTOM_KEY, SECOND_CUSTOM_KEY, SECURITY_KEY, StandIn, claims, query, sign

KNOWN = "a real key"  # stands in the table below for the key of an existing content
INTRO = [{"mckey": KNOWN, "intr": True}]
SITE = {"referer": "http://127.0.0.1:8000/"}


def _known(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return [{name: key if part == KNOWN else part for name, part in item.items()} for item in value]
    return value


async def _code(kollus: StandIn, address: str, headers: dict[str, str] | None = None) -> int | None:
    """The code in the page, read from its attribute and checked against its text and the log."""
    response = await kollus.http.get(address, headers=SITE if headers is None else headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    attribute = re.search(r'data-error-code="(\d+)"', response.text)
    shown = re.search(r"<span data-code>(\d*)</span>", response.text)
    assert shown is not None
    assert (attribute[1] if attribute else "") == shown[1]
    return int(shown[1]) if shown[1] else None


async def test_good_url_opens_a_player_that_other_sites_can_embed(kollus: StandIn) -> None:
    address = f"/s?{query(sign(claims(kollus.key_of(20))))}"
    response = await kollus.http.get(address, headers=SITE)
    assert "data-error-code" not in response.text
    assert "x-frame-options" not in response.headers
    assert "frame-ancestors" not in response.headers["content-security-policy"]


async def test_any_custom_key_of_the_account_opens_a_player(kollus: StandIn) -> None:
    token = sign(claims(kollus.key_of(20)))
    assert await _code(kollus, f"/s?{query(token, CUSTOM_KEY)}") is None
    assert await _code(kollus, f"/s?{query(token, SECOND_CUSTOM_KEY)}") is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expt": 1_000_000_000}, 4085),
        ({"expt": None}, 4007),
        ({"expt": str(int(time.time()) + 300)}, 4007),
        ({"expt": (int(time.time()) + 300) * 1000}, 4007),
        ({"expt": time.time() + 300}, 4007),
        ({"expt": True}, 4007),
        ({"iat": int(time.time())}, 4007),
        ({"exp": int(time.time()) + 300}, 4007),
        ({"sub": "user-1"}, 4007),
        ({"cuid": 7}, 4007),
        ({"mc": None}, 4007),
        ({"mc": []}, 4007),
        ({"mc": {"mckey": KNOWN}}, 4007),
        ({"mc": [{}]}, 4001),
        ({"mc": [{"mckey": "too-long-a-key"}]}, 4001),
        ({"mc": [{"mckey": "nokey123"}]}, 4012),
        ({"mc": INTRO}, 4020),
        ({"mc": [{"mckey": KNOWN, "seek": "no"}]}, 4007),
        ({"mc": [{"mckey": KNOWN, "seekable_end": "9"}]}, 4007),
        ({"mc": [{"mckey": KNOWN, "play_section": {"start_time": 9, "end_time": 9}}]}, 4007),
        ({"video_watermarking_code_policy": {"font_color": "#ffffff"}}, 4007),
        ({"video_watermarking_code_policy": {"alpha": 256}}, 4007),
    ],
)
async def test_wrong_claims_are_refused_with_their_code(
    kollus: StandIn, changes: dict[str, Any], code: int
) -> None:
    key = kollus.key_of(20)
    payload = claims(key, **{name: _known(value, key) for name, value in changes.items()})
    assert await _code(kollus, f"/s?{query(sign(payload))}") == code


@pytest.mark.parametrize(
    ("key", "header"),
    [
        ("another-key", '{"alg":"HS256","typ":"JWT"}'),
        (SECURITY_KEY, '{"alg":"HS384","typ":"JWT"}'),
        (SECURITY_KEY, '{"alg":"none"}'),
        (SECURITY_KEY, '{"alg":"hs256"}'),
        (SECURITY_KEY, '{"alg":"HS256","typ":"JWE"}'),
        (SECURITY_KEY, "no header"),
    ],
)
async def test_only_hs256_with_the_security_key_is_read(kollus: StandIn, key: str, header: str) -> None:
    token = sign(claims(kollus.key_of(20)), key, header)
    assert await _code(kollus, f"/s?{query(token)}") == 4007


async def test_every_form_of_header_that_vendors_write_is_read(kollus: StandIn) -> None:
    for header in ('{"typ":"JWT","alg":"HS256"}', '{ "alg" : "HS256" }'):
        assert await _code(kollus, f"/s?{query(sign(claims(kollus.key_of(20)), header=header))}") is None


async def test_changed_or_cut_token_is_refused(kollus: StandIn) -> None:
    token = sign(claims(kollus.key_of(20)))
    head, payload, signature = token.split(".")
    other = sign(claims(kollus.key_of(45))).split(".")[1]
    for broken in (
        f"{head}.{other}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{token}=",
        f"{token}.",
    ):
        assert await _code(kollus, f"/s?{query(broken)}") == 4007


async def test_a_signature_has_one_spelling(kollus: StandIn) -> None:
    """Its last character has two bits to spare: four spellings of the same 32 bytes."""
    token = sign(claims(kollus.key_of(20)))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    others = [alphabet[last // 4 * 4 + spare] for spare in range(1, 4)]
    assert await _code(kollus, f"/s?{query(token)}") is None
    assert [await _code(kollus, f"/s?{query(token[:-1] + other)}") for other in others] == [4007] * 3


async def test_a_signature_in_the_standard_alphabet_is_read_and_padding_is_not(kollus: StandIn) -> None:
    head, payload, signature = sign(claims(kollus.key_of(20))).split(".")
    standard = signature.replace("-", "+").replace("_", "/")
    assert await _code(kollus, f"/s?{query(f'{head}.{payload}.{standard}')}") is None
    assert await _code(kollus, f"/s?{query(f'{head}.{payload}.{standard}=')}") == 4007


@pytest.mark.parametrize("start", ["٣", "²", "-1", "1.5", "", "9" * 5000])
async def test_a_start_is_whole_seconds_in_plain_digits(kollus: StandIn, start: str) -> None:
    token = sign(claims(kollus.key_of(20)))
    assert await _code(kollus, f"/s?{query(token, s=start)}") == 4083
    assert await _code(kollus, f"/s?{query(token, s='7')}") is None


async def test_keys_are_asked_for_before_the_token(kollus: StandIn) -> None:
    token = sign(claims(kollus.key_of(20)))
    assert await _code(kollus, "/s") == 4083
    assert await _code(kollus, f"/s?jwt={token}") == 4083
    assert await _code(kollus, f"/s?custom_key={CUSTOM_KEY}") == 4083
    assert await _code(kollus, f"/s?{query(token, 'not hexadecimal')}") == 4004
    assert await _code(kollus, f"/s?{query('rubbish', 'ab' * 32)}") == 4082


async def test_only_pages_of_allowed_domains_open_a_player(kollus: StandIn) -> None:
    address = f"/s?{query(sign(claims(kollus.key_of(20))))}"
    assert await _code(kollus, address, {}) == 4031
    assert await _code(kollus, address, {"referer": "https://elsewhere.example/"}) == 4031
    await kollus.settings(allowed_domains=[])
    assert await _code(kollus, address, {}) is None


async def test_suspended_channel_plays_nothing(kollus: StandIn) -> None:
    await kollus.settings(channel_active=False)
    assert await _code(kollus, f"/s?{query(sign(claims(kollus.key_of(20))))}") == 4025


async def test_content_key_alone_opens_nothing_in_a_private_channel(kollus: StandIn) -> None:
    assert await _code(kollus, f"/{kollus.key_of(20)}") == 4081
    assert await _code(kollus, "/nokey123") == 4012


async def test_content_key_alone_opens_a_public_channel(kollus: StandIn) -> None:
    await kollus.settings(channel_public=True)
    address = f"/{kollus.key_of(20)}"
    assert await _code(kollus, address) is None
    assert await _code(kollus, "/nokey123") == 4012
    assert await _code(kollus, address, {"referer": "https://elsewhere.example/"}) == 4031
    assert (await kollus.http.get(f"/i{address}", headers=SITE)).json()["duration"] == 20
    await kollus.settings(channel_active=False)
    assert await _code(kollus, address) == 4025


async def test_an_app_is_told_what_it_would_play_after_the_same_checks(kollus: StandIn) -> None:
    key = kollus.key_of(20)
    good, bad = claims(key, mc=[{"mckey": key, "title": "막"}]), claims(key, expt=1_000_000_000)
    told = (await kollus.http.get(f"/si?{query(sign(good))}", headers=SITE)).json()
    assert told == {
        "error": None,
        "media_content_key": key,
        "title": "막",
        "duration": 20,
        "poster": f"/poster/{key}.jpg",
    }
    refused = (await kollus.http.get(f"/si?{query(sign(bad))}", headers=SITE)).json()
    assert refused["error"]["code"] == 4085
    assert [entry["code"] for entry in await kollus.log("open")] == [None, 4085]


async def test_a_poster_address_leads_to_a_picture(kollus: StandIn) -> None:
    redirect = await kollus.http.get(f"/poster/{kollus.key_of(20)}.jpg")
    assert redirect.status_code == 302
    picture = await kollus.http.get(redirect.headers["location"])
    assert picture.headers["content-type"].startswith("image/")
    assert (await kollus.http.get("/poster/nokey123.jpg")).status_code == 404


async def test_a_new_custom_key_joins_the_old_ones_or_voids_them(kollus: StandIn) -> None:
    token = sign(claims(kollus.key_of(20)))
    added = (await kollus.http.post("/_sandbox/custom_keys/rotate", json={})).json()
    assert added["valid"] == [CUSTOM_KEY, SECOND_CUSTOM_KEY, added["custom_key"]]
    assert await _code(kollus, f"/s?{query(token, added['custom_key'])}") is None
    assert await _code(kollus, f"/s?{query(token)}") is None

    alone = (await kollus.http.post("/_sandbox/custom_keys/rotate", json={"void_old": True})).json()
    assert alone["valid"] == [alone["custom_key"]]
    assert await _code(kollus, f"/s?{query(token, alone['custom_key'])}") is None
    assert await _code(kollus, f"/s?{query(token)}") == 4082
    await kollus.http.post("/_sandbox/reset")
    assert await _code(kollus, f"/s?{query(token)}") is None


async def test_error_is_told_in_the_language_of_the_browser(kollus: StandIn) -> None:
    korean = await kollus.http.get("/s", headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"})
    english = await kollus.http.get("/s", headers={"accept-language": "de,en;q=0.8,ko;q=0.2"})
    superscript = await kollus.http.get("/s", headers={b"accept-language": "ko;q=²".encode()})
    assert superscript.status_code == 200
    assert "잘못된 요청이에요." in korean.text
    assert "The request is not complete." in english.text


async def test_direct_stream_leads_to_the_clip_and_parts_of_it_can_be_had(kollus: StandIn) -> None:
    redirect = await kollus.http.get(f"/sr?{query(sign(claims(kollus.key_of(20))))}", headers=SITE)
    assert redirect.status_code == 302
    address = redirect.headers["location"]
    assert (
        await kollus.http.head(f"/sr?{query(sign(claims(kollus.key_of(20))))}", headers=SITE)
    ).status_code == 302
    whole = await kollus.http.get(address)
    assert whole.headers["content-type"] == "video/webm"
    part = await kollus.http.get(address, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    tail = await kollus.http.get(address, headers={"range": "bytes=-5"})
    assert tail.content == whole.content[-5:]
    beyond = await kollus.http.get(address, headers={"range": f"bytes=0-{10**9}"})
    assert beyond.content == whole.content
    for no_range in ("bytes=٣-٤", f"bytes={'9' * 5000}-", "bytes=-"):
        assert (
            await kollus.http.get(address, headers={b"range": no_range.encode()})
        ).content == whole.content
    nothing = await kollus.http.get(address, headers={"range": f"bytes={10**9}-"})
    assert nothing.status_code == 416


async def test_every_opening_is_in_the_log_with_its_code(kollus: StandIn) -> None:
    await _code(kollus, f"/s?{query(sign(claims(kollus.key_of(20))))}")
    await _code(kollus, "/s")
    good, bad = await kollus.log("open")
    assert (good["code"], bad["code"]) == (None, 4083)
    assert good["request"]["referer"] == SITE["referer"]


@pytest.mark.parametrize(
    "changes",
    [
        {"lms": "later"},
        {"duplicate": 0},
        {"lms_period_s": "10"},
        {"shuffle": 1},
        {"odd_reports": 1},
        {"odd_reports": ["no_such_kind"]},
        {"no_such_setting": 1},
    ],
)
async def test_wrong_setting_changes_nothing(kollus: StandIn, changes: dict[str, Any]) -> None:
    before = (await kollus.http.get("/_sandbox/settings")).json()
    response = await kollus.http.post("/_sandbox/settings", json={"block_count": 7} | changes)
    assert response.status_code == 400
    assert (await kollus.http.get("/_sandbox/settings")).json() == before


async def test_reset_forgets_calls_and_settings(kollus: StandIn) -> None:
    await kollus.settings(lms="hold", duplicate=3)
    await _code(kollus, "/s")
    settings = (await kollus.http.post("/_sandbox/reset")).json()
    assert (settings["lms"], settings["duplicate"]) == ("now", 1)
    assert (await kollus.http.get("/_sandbox/log")).json() == []
