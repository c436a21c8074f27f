"""Player links and signed answers, read by a decoder of the test's own."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from server.integrations.kollus import KollusClient
from server.settings import Settings


def client(security_key: str) -> KollusClient:
    return KollusClient(Settings(_env_file=None, kollus_security_key=security_key))


def read(token: str, security_key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload of a token with a right signature."""
    head, payload, signature = token.split(".")
    expected = hmac.new(security_key.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=") == expected

    def part(text: str) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return decoded

    return part(head), part(payload)


@pytest.mark.parametrize("security_key", ["mycompany", "열쇠", "k" * 64])
def test_a_security_key_of_any_length_signs_without_a_warning(security_key: str) -> None:
    head, payload = read(client(security_key).sign_reply({"result": 0}), security_key)
    assert head == {"alg": "HS256", "typ": "JWT"}
    assert payload == {"data": {"result": 0}}


def test_a_player_link_holds_what_the_gateway_asks_for_and_no_registered_claim() -> None:
    url = client("mycompany").player_url(
        media_content_key="hBftp9d6",
        cuid="u-1",
        start_s=12,
        title="소리 & 빛",
        user_values={"uservalue0": "a.b", "uservalue1": "ko"},
        watermark="u-1",
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    claims = read(query.pop("jwt"), "mycompany")[1]
    assert (query["s"], query["uservalue0"], query["uservalue1"]) == ("12", "a.b", "ko")
    assert query["custom_key"] == client("mycompany").custom_key
    assert set(claims) == {"cuid", "expt", "mc", "video_watermarking_code_policy"}
    assert (claims["cuid"], type(claims["expt"])) == ("u-1", int)
    assert [(item["mckey"], item["title"]) for item in claims["mc"]] == [("hBftp9d6", "소리 & 빛")]


@pytest.mark.parametrize(
    ("until", "told"),
    [
        (None, 0),
        (datetime(2026, 12, 1, 0, 0, 0, 999_999, tzinfo=UTC), 1796083200),
        (datetime(2029, 12, 31, 23, 59, 59, tzinfo=UTC), 1893455999),
        (datetime(9999, 1, 1, tzinfo=UTC), 1893455999),
    ],
)
def test_an_end_is_told_in_whole_seconds_up_to_the_latest_that_players_take(
    until: datetime | None, told: int
) -> None:
    answer = read(client("mycompany").allow(1, until), "mycompany")[1]["data"]
    assert answer == {"kind": 1, "result": 1, "expiration_date": told}


def test_the_final_approval_and_a_refusal_have_their_own_fields() -> None:
    kollus = client("mycompany")
    assert read(kollus.allow(3, None), "mycompany")[1]["data"] == {
        "kind": 3,
        "result": 1,
        "content_expired": 0,
    }
    assert read(kollus.refuse("안 돼요"), "mycompany")[1]["data"] == {"result": 0, "message": "안 돼요"}
