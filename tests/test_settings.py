"""Settings: safe or refused in live mode, ready for a first look in sandbox mode."""

import os
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from server.settings import (
    LIVE_ADDRESSES,
    ROOT,
    SCRIPTS,
    SHORTEST_INTERVALS,
    Settings,
    configure,
)
from server.settings_checks import NOT_USED_YET, SANDBOX_SECRETS
from tests.conftest import PORTS, Site
from tests.factories import PASSWORD, create_account, create_course, csrf_of

SAFE: dict[str, Any] = {
    "mode": "live",
    "public_url": "https://shop.example",
    "secret_key": "pq0Vb7sXw3Jf9LkZ2mTgRcY6hUeNdA1o",
    "stripe_secret_key": "sk_live_51Hq8ZkLw0XyVb3TnRfGp7Mc",
    "stripe_publishable_key": "pk_live_51Hq8ZkLw0XyVb3TnRfGp7Mc",
    "stripe_webhook_secrets": "whsec_nT4yKp8Vd2Rw6XqZ0bJm3LgS, whsec_Yf5HuC1eAo9Ds7GiVk2NtPx4",
    "kollus_service_account_key": "shop",
    "kollus_security_key": "Wc8Rj3Zt6Mx1Vq9K",
    "kollus_custom_key": "3b9e0c7fa1d2465883bfe6097c5da4124e8f90b6d7c3a2510fe48b69d7a2c35f",
    "kollus_api_token": "Lm4Xs9Qv2Bz7",
    "kollus_channel_key": "abcdefgh",
    "kollus_callback_secret": "Ht2Gd8Yk5Fn0Pw6S",
    "metrics_token": "Uj7Ec3Ox9Ib1Nq5Z",
    "smtp_url": "smtp://mail.example:587",
    "mail_from": "Shop <hello@shop.example>",
    "business_name": "Shop",
    "business_email": "hello@shop.example",
    "proxies_count": 1,
}


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no `.env` of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("PLAYBILL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_complete_live_set_is_accepted() -> None:
    settings = Settings(**SAFE)

    assert settings.is_live
    assert settings.is_https
    assert settings.webhook_secrets == ["whsec_nT4yKp8Vd2Rw6XqZ0bJm3LgS", "whsec_Yf5HuC1eAo9Ds7GiVk2NtPx4"]
    assert {name: getattr(settings, name) for name in LIVE_ADDRESSES} == LIVE_ADDRESSES


NOT_SECRET = ["smtp_url", "mail_from", "business_name", "business_email"]
EMPTY = [name for name in (*SANDBOX_SECRETS, "metrics_token", *NOT_SECRET) if name not in NOT_USED_YET]


@pytest.mark.parametrize("name", EMPTY)
def test_live_mode_refuses_an_empty_value_and_names_it(name: str) -> None:
    with pytest.raises(ValidationError, match=f"PLAYBILL_{name.upper()} is empty"):
        Settings(**SAFE | {name: ""})


def test_live_mode_demands_no_secret_that_nothing_uses() -> None:
    assert Settings(**SAFE | dict.fromkeys(NOT_USED_YET, "")).is_live


def test_every_other_secret_and_address_is_read_somewhere() -> None:
    """And none that is demanded of nobody is: whoever begins to use it has to demand it."""
    code = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "server").rglob("*.py")
        if path.name not in ("settings.py", "settings_checks.py", "standins.py")
        and "sandbox" not in path.parts
    )
    given = {*SANDBOX_SECRETS, *LIVE_ADDRESSES}
    read = {name for name in given if f"settings.{name}" in code or f"settings().{name}" in code}
    read.add("stripe_webhook_secrets")  # as `webhook_secrets`

    assert read == given - NOT_USED_YET


@pytest.mark.parametrize("change", [str.upper, str.swapcase, "{}-1".format, "x{}".format])
@pytest.mark.parametrize("name", SANDBOX_SECRETS)
def test_live_mode_refuses_the_sandboxs_secret_in_other_clothes(
    name: str, change: Callable[[str], str]
) -> None:
    with pytest.raises(ValidationError, match=f"PLAYBILL_{name.upper()} is the sandbox's value"):
        Settings(**SAFE | {name: change(SANDBOX_SECRETS[name])})


@pytest.mark.parametrize("name", SANDBOX_SECRETS)
def test_live_mode_refuses_what_the_whole_world_may_read(name: str) -> None:
    with pytest.raises(ValidationError, match=f"PLAYBILL_{name.upper()} is the sandbox's value"):
        Settings(**SAFE | {name: SANDBOX_SECRETS[name]})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("secret_key", "s" * 31, "is shorter than 32 characters"),
        ("kollus_callback_secret", "b" * 15, "is shorter than 16 characters"),
        ("secret_key", "s" * 32, "repeats itself"),
        ("secret_key", "sS" * 16, "repeats itself"),
        ("secret_key", "0" * 64, "repeats itself"),
        ("stripe_secret_key", "sk_live_" + "a" * 24, "repeats itself"),
        ("stripe_publishable_key", "pk_live_" + "a" * 24, "repeats itself"),
        ("stripe_webhook_secrets", "whsec_" + "a" * 24, "repeats itself"),
        ("stripe_webhook_secrets", SAFE["stripe_webhook_secrets"] + ",whsec_" + "0" * 32, "repeats itself"),
        ("kollus_security_key", "k" * 32, "repeats itself"),
        ("kollus_custom_key", "c" * 64, "repeats itself"),
        ("kollus_callback_secret", "b" * 32, "repeats itself"),
        ("kollus_api_token", "t" * 8, "repeats itself"),
        ("metrics_token", "m" * 16, "repeats itself"),
        ("secret_key", "ab" * 16, "repeats itself"),
        ("secret_key", "a" * 31 + "b", "repeats itself"),
        ("secret_key", "b" + "a" * 31, "repeats itself"),
        ("secret_key", "correct-horse-battery-" * 3, "repeats itself"),
        ("secret_key", "Secret-Key1" * 2 + "secret-key", "repeats itself"),
        ("metrics_token", "changeme" * 2, "repeats itself"),
        ("metrics_token", "m" * 15 + "n", "repeats itself"),
        ("stripe_webhook_secrets", "whsec_" + "ab" * 12, "repeats itself"),
        ("stripe_webhook_secrets", "whsec_" + SAFE["stripe_secret_key"], "is no webhook secret"),
        ("stripe_webhook_secrets", "whsec_" + SAFE["stripe_publishable_key"], "is no webhook secret"),
        ("stripe_webhook_secrets", "whsec_rk_live_nT4yKp8Vd2Rw6XqZ", "is no webhook secret"),
        ("stripe_webhook_secrets", "whsec_whsec_nT4yKp8Vd2Rw6XqZ", "is no webhook secret"),
        ("stripe_webhook_secrets", SAFE["stripe_secret_key"], "is no webhook secret"),
        ("stripe_webhook_secrets", SAFE["stripe_webhook_secrets"] + ",sk_live_0123456789", "is no webhook"),
        ("metrics_token", "m" * 15, "is empty or shorter than 16 characters"),
        ("stripe_secret_key", "sk_test_" + "a" * 24, "is no live key"),
        ("stripe_secret_key", "rk_test_" + "a" * 24, "is no live key"),
        ("stripe_publishable_key", "pk_test_" + "a" * 24, "is no live key"),
        ("stripe_webhook_secrets", "whsec_" + "a" * 24 + ",short", "is shorter than 16 characters"),
        ("stripe_webhook_secrets", " , ", "is shorter than 16 characters"),
        ("public_url", "http://shop.example", "is not https"),
        ("public_url", "https://localhost:8000", "is an address of this machine"),
        ("public_url", "https://127.0.0.1", "is an address of this machine"),
        ("stripe_api_url", "http://127.0.0.1:8001", "is not https"),
        ("stripe_js_url", "https://localhost:8001/endive/stripe.js", "is an address of this machine"),
        ("kollus_gateway_url", "http://localhost:8002", "is not https"),
        ("public_url", "https://127.1", "is an address of this machine"),
        ("public_url", "https://localhost.", "is an address of this machine"),
        ("stripe_api_url", "https://127.1:8001", "is an address of this machine"),
        ("stripe_api_url", "https://localhost.:8001", "is an address of this machine"),
        ("stripe_api_url", "https://2130706433", "is an address of this machine"),
        ("stripe_api_url", "https://[::ffff:127.0.0.1]:8001", "is an address of this machine"),
        ("public_url", "https://10.0.0.5", "is an address of a private network"),
        ("public_url", "https://192.168.1.20:8443", "is an address of a private network"),
        ("public_url", "https://172.16.0.1", "is an address of a private network"),
        ("public_url", "https://100.64.0.1", "is an address of a private network"),
        ("public_url", "https://169.254.169.254", "is an address of a private network"),
        ("public_url", "https://167772165", "is an address of a private network"),
        ("public_url", "https://[fd00::1]", "is an address of a private network"),
        ("public_url", "https://[fe80::1]", "is an address of a private network"),
        ("public_url", "https://[::ffff:10.0.0.5]", "is an address of a private network"),
        ("public_url", "https://[::1]", "is an address of this machine"),
        ("public_url", "https://shop", "is not a name that the internet knows"),
        ("public_url", "https://shop.:8443", "is not a name that the internet knows"),
        ("public_url", "https://ip6-localhost", "is not a name that the internet knows"),
        ("public_url", "https://shop.local", "is not a name that the internet knows"),
        ("public_url", "https://shop.LOCAL.", "is not a name that the internet knows"),
        ("public_url", "https://shop.internal", "is not a name that the internet knows"),
        ("public_url", "https://shop.localdomain", "is not a name that the internet knows"),
        ("public_url", "https://shop.home.arpa", "is not a name that the internet knows"),
        ("public_url", "https://shop.localhost", "is an address of this machine"),
        ("smtp_url", "smtp://127.0.0.1:8025", "is the sandbox's mail server"),
        ("smtp_url", "smtp://shop:secret@mail.example:587", "would send the password unencrypted"),
        ("mail_from", "hello", "is no e-mail address"),
        ("proxies_count", None, "is not set"),
    ],
)
def test_live_mode_refuses_unsafe_values_and_says_which(name: str, value: str, words: str) -> None:
    with pytest.raises(ValidationError, match=f"PLAYBILL_{name.upper()} {words}"):
        Settings(**SAFE | {name: value})


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example:25",
        "smtps://shop:secret@mail.example",
        "smtp+starttls://shop:secret@mail.example",
        "smtp://shop:secret@mail.example:587?starttls=1",
        "smtp://shop:secret@127.0.0.1:25",
    ],
)
def test_live_mode_takes_a_mail_server_that_no_password_goes_to_unencrypted(url: str) -> None:
    assert Settings(**SAFE | {"smtp_url": url}).smtp_url == url


@pytest.mark.parametrize(
    "host",
    [
        "playbill.kr",
        "shop.example",
        "local.example.com",
        "a.example.org:8443",
        "8.8.8.8",
        "[2001:4860:4860::8888]",
    ],
)
def test_live_mode_takes_a_host_that_the_internet_may_know(host: str) -> None:
    assert Settings(**SAFE | {"public_url": f"https://{host}"}).is_live


@pytest.mark.parametrize("length", [16, 32, 64])
@pytest.mark.parametrize("letters", [string.hexdigits[:16], string.ascii_letters + string.digits])
def test_live_mode_takes_secrets_drawn_at_random(letters: str, length: int) -> None:
    generator = random.Random(2026)
    for _ in range(200):
        secret = "".join(generator.choices(letters, k=length))
        assert Settings(**SAFE | {"metrics_token": secret, "kollus_callback_secret": secret}).is_live


def test_no_proxy_is_an_answer_too() -> None:
    assert Settings(**SAFE | {"proxies_count": 0}).proxies_count == 0


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(mode="live", business_email="nobody")

    for name in (
        "SECRET_KEY",
        "PUBLIC_URL",
        "STRIPE_SECRET_KEY",
        "METRICS_TOKEN",
        "SMTP_URL",
        "BUSINESS_EMAIL",
    ):
        assert f"PLAYBILL_{name}" in str(raised.value)


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(**SAFE | {"public_url": "http://shop.example"})

    assert "input_value" not in str(raised.value)


def test_the_sandbox_needs_nothing() -> None:
    settings = Settings()

    assert (settings.mode, settings.public_url) == ("sandbox", "http://127.0.0.1:8000")
    assert settings.database_url == "sqlite+aiosqlite:///var/playbill.db"
    assert {name: getattr(settings, name) for name in SANDBOX_SECRETS} == SANDBOX_SECRETS
    assert settings.stripe_api_url == "http://127.0.0.1:8001"
    assert settings.smtp_url == "smtp://127.0.0.1:8025"
    assert (settings.currency_list, settings.locale_list) == (["KRW", "USD", "JPY"], ["ko", "en"])


def test_in_the_sandbox_a_browser_reaches_the_stand_ins_as_another_site() -> None:
    settings = Settings(sandbox_stripe_port=9001, sandbox_kollus_port=9002)

    assert settings.stripe_js_url == "http://localhost:9001/endive/stripe.js"
    assert settings.kollus_gateway_url == "http://localhost:9002"
    assert settings.kollus_player_js_url.startswith("http://localhost:9002/")
    assert settings.public_url == "http://127.0.0.1:8000"


def test_the_addresses_follow_the_ports_and_the_folder() -> None:
    settings = Settings(port=9000, var_dir="/data")

    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.database_url == "sqlite+aiosqlite:////data/playbill.db"


def test_an_env_file_is_read_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PLAYBILL_PORT=9000\nPLAYBILL_WORKERS=3\nOTHER=1\n", "utf-8")
    monkeypatch.setenv("PLAYBILL_WORKERS", "2")

    settings = Settings()

    assert (settings.port, settings.workers) == (9000, 2)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYBILL_PORT", "")
    monkeypatch.setenv("PLAYBILL_SECRET_KEY", "")

    assert Settings().port == 8000
    assert Settings().secret_key == SANDBOX_SECRETS["secret_key"]


CALLED = ["stripe_api_url", "kollus_api_url", "kollus_gateway_url"]
# They stand in the Content-Security-Policy, where a space begins another source and a semicolon another rule.
NOT_OF_AN_ORIGIN = ["/v1", " *", "; script-src *", ";x", ",x", "'", "?x", "#x", "\\x", "\n", ":x", "@x"]
NOT_OF_A_SCRIPT = [
    "",
    " /a.js",
    ";/a.js",
    "/a.js; script-src *",
    "/a b.js",
    "/a.js#x",
    "/'a.js",
    "/a.js\n",
    "/a,b.js",
]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        *[(name, port) for name in PORTS for port in ("-1", "0", "65536", "70000")],
        ("workers", "0"),
        ("mode", "production"),
        ("currencies", "KRW,ABC"),
        ("currencies", "KRW,TWD"),
        ("locales", "ko,xx"),
        ("business_timezone", "Asia/Nowhere"),
        ("proxies_count", "-1"),
        ("database_url", "shop.db"),
        ("mail_from", "Shop <hello>"),
        ("mail_from", "Shop <hello@가게.example>"),
        ("mail_from", "a@shop.example, b@shop.example"),
        ("business_email", "call us"),
        ("smtp_url", "mail.example:25"),
        ("smtp_url", "smtp://"),
        ("smtp_url", "smtp://mail.example:smtp"),
        ("public_url", "https://shop.example/sub"),
        ("public_url", "https://shop.example?x"),
        ("public_url", "https://shop.example#x"),
        ("public_url", "https://me@shop.example"),
        ("public_url", "https://shop.example:99999"),
        ("public_url", "shop.example"),
        ("public_url", "https://shop example"),
        ("public_url", "https://shop.example;x"),
        ("public_url", "https://가게.example"),
        ("public_url", "https://[::1"),
        *[(name, f"https://third.example{rest}") for name in CALLED for rest in NOT_OF_AN_ORIGIN],
        *[(name, f"https://third.example{rest}") for name in SCRIPTS for rest in NOT_OF_A_SCRIPT],
    ],
)
def test_nonsense_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=f"(?i){name}"):
        Settings.model_validate({name: value})


def test_an_address_with_a_slash_at_the_end_is_taken_without_it() -> None:
    for name in ("public_url", *CALLED):
        settings = Settings(**SAFE | {name: "https://shop.example/"})
        assert getattr(settings, name) == "https://shop.example"


@pytest.mark.parametrize(
    "url",
    ["https://js.stripe.com/endive/stripe.js", "https://file.example:8443/v/a-b_c.min.js?v=20261124&x=1"],
)
def test_a_script_has_a_path_and_may_have_a_version(url: str) -> None:
    assert Settings(**SAFE | {"kollus_player_js_url": url}).kollus_player_js_url == url


async def cookies_of_a_sign_in(site: Site) -> dict[str, str]:
    """Every cookie that a checkout page and a sign-in set: name → the rest of the header."""
    await create_course()
    await create_account()
    async with site.client() as client:
        answers = [await client.get("/checkout/first-night"), await client.get("/login")]
        answers.append(await _sign_in(client, csrf_of(answers[-1].text), answers))
    headers = [header for answer in answers for header in answer.headers.get_list("set-cookie")]
    return {header.split("=", 1)[0]: header.split(";", 1)[1].lower() for header in headers}


async def _sign_in(client: httpx.AsyncClient, token: str, before: list[httpx.Response]) -> httpx.Response:
    # Secure cookies do not come back over http: carried by hand, as a browser does behind https.
    sent = [header.split(";")[0] for one in before for header in one.headers.get_list("set-cookie")]
    return await client.post(
        "/login",
        data={"email": "vera@mail.example", "password": PASSWORD, "csrf_token": token},
        headers={"Cookie": "; ".join({one.split("=")[0]: one for one in sent}.values())},
    )


OURS = {"playbill_order_key", "playbill_csrf", "playbill_sign_in", "playbill_flash"}


async def test_over_https_cookies_are_bound_to_this_host(
    site: Site, session: None, settings: Settings
) -> None:
    configure(settings.model_copy(update={"public_url": "https://shop.example"}))
    try:
        found = await cookies_of_a_sign_in(site)
    finally:
        configure(settings)

    assert set(found) == {f"__Host-{name}" for name in OURS}
    for flags in found.values():
        parts = {part.strip() for part in flags.split(";")}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
        assert not any(part.startswith("domain=") for part in parts)


async def test_over_http_cookies_are_plain(site: Site, session: None) -> None:
    found = await cookies_of_a_sign_in(site)

    assert set(found) == OURS
    assert not any("secure" in flags for flags in found.values())


@pytest.mark.parametrize("name", SHORTEST_INTERVALS)
def test_live_mode_refuses_to_look_all_the_time(name: str) -> None:
    """For tests a second is right; a shop would only burden Stripe and its database."""
    short: dict[str, Any] = {name: 1}
    assert getattr(Settings(**short), name) == 1
    with pytest.raises(ValidationError, match=f"PLAYBILL_{name.upper()} is shorter than"):
        Settings(**SAFE | {name: SHORTEST_INTERVALS[name] - 0.5})


@pytest.mark.parametrize(
    "odd", [{"sweep_interval_s": 3600}, {"lease_s": 60}, {"jobs_interval_s": 0}, {"outbox_interval_s": "nan"}]
)
def test_no_interval_is_endless_or_nothing(odd: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(odd))):
        Settings(**odd)
