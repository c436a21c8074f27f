"""What the stand-in hands to browsers, and the switch that makes trouble there."""

from __future__ import annotations

import httpx
import pytest

from tests.http import HTTP

from .conftest import Stripe


def get(stripe: Stripe, path: str) -> httpx.Response:
    return HTTP.get(stripe.url + path)


def post_trouble(stripe: Stripe, body: object) -> httpx.Response:
    return HTTP.post(f"{stripe.url}/_sandbox/browser", json=body)


def test_the_script_is_a_classic_script(stripe: Stripe) -> None:
    answer = get(stripe, "/endive/stripe.js")
    assert answer.headers["content-type"].startswith("application/javascript")
    assert answer.text.startswith("(() => {")


@pytest.mark.parametrize(
    "path", ["elements/payment", "elements/three-ds-2-challenge", "3ds/pi_1?client_secret=pi_1_secret_2"]
)
def test_any_site_may_show_a_frame_that_runs_nothing_foreign(stripe: Stripe, path: str) -> None:
    headers = get(stripe, f"/_sandbox/{path}").headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"


def test_nothing_else_of_the_folder_is_served(stripe: Stripe) -> None:
    assert get(stripe, "/_sandbox/elements/payment.js").status_code == 200
    for name in ("none.js", "payment.html", "..%2fbrowser.py", "../browser.py"):
        assert get(stripe, f"/_sandbox/elements/{name}").status_code == 404


def test_trouble_is_set_as_a_whole_and_ends_with_an_empty_body(stripe: Stripe) -> None:
    calm = {"script": "ok", "element": "ok", "confirm_delay_ms": 0, "confirm_drop": False}
    post_trouble(stripe, {"script": "slow", "confirm_drop": True}).raise_for_status()
    assert get(stripe, "/_sandbox/browser").json() == {**calm, "script": "slow", "confirm_drop": True}
    assert post_trouble(stripe, {}).json() == calm


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"scripts": "ok"},
        {"script": "off"},
        {"element": []},
        {"confirm_delay_ms": -1},
        {"confirm_drop": "no"},
    ],
)
def test_trouble_that_does_not_exist_is_refused(stripe: Stripe, body: object) -> None:
    answer = post_trouble(stripe, body)
    assert answer.status_code == 400
    assert get(stripe, "/_sandbox/browser").json()["script"] == "ok"
