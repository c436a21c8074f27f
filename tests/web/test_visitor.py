"""Which network a visitor counts for, also behind a proxy."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from sanic import Sanic

from server.accounts.signing_in import WRONG_PASSWORDS_PER_ADDRESS
from server.app import create_app
from server.settings import Settings, configure
from server.web.visitor import client_ip
from tests.conftest import Site
from tests.engines import on_sqlite
from tests.factories import csrf_of


@pytest.mark.parametrize(
    ("told", "network"),
    [
        ("", "192.0.2.1"),
        ("198.51.100.4", "198.51.100.4"),
        ("198.51.100.4:50213", "198.51.100.4"),
        ("[2001:db8:1:1::7]", "2001:db8:1:1::/64"),
        ("[2001:db8:1:1::7]:50213", "2001:db8:1:1::/64"),
        ("2001:db8:1:1::7", "2001:db8:1:1::/64"),
        ("[::ffff:198.51.100.4]", "198.51.100.4"),
        ("_hidden", "_hidden"),
    ],
)
def test_a_visitors_network_is_what_the_proxy_tells(told: str, network: str) -> None:
    request = SimpleNamespace(remote_addr=told, ip="192.0.2.1")

    assert client_ip(cast(Any, request)) == network


async def wrong_passwords(site: Site, count: int, address: str) -> list[int]:
    client = site.client()
    token = csrf_of((await client.get("/login")).text)
    form = {"email": "vera@mail.example", "password": "wrong words", "csrf_token": token}
    return [
        (await client.post("/login", data=form, headers={"X-Forwarded-For": address.format(n)})).status_code
        for n in range(1, count + 1)
    ]


@on_sqlite
async def test_a_customer_of_many_ipv6_addresses_behind_a_proxy_is_one_network(
    site: Site, session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.app.config, "PROXIES_COUNT", 1)
    allowed = WRONG_PASSWORDS_PER_ADDRESS

    assert await wrong_passwords(site, allowed + 1, "2001:db8:1:1::{:x}") == [422] * allowed + [429]
    assert await wrong_passwords(site, 1, "2001:db8:1:2::{:x}") == [422]


@on_sqlite
async def test_nobody_is_believed_where_no_proxy_is(site: Site, session: None) -> None:
    allowed = WRONG_PASSWORDS_PER_ADDRESS

    assert await wrong_passwords(site, allowed + 1, "198.51.100.{}") == [422] * allowed + [429]


@pytest.mark.parametrize(("count", "believed"), [(None, None), (0, None), (2, 2)])
def test_the_setting_says_how_many_proxies_are_believed(
    settings: Settings, count: int | None, believed: int | None
) -> None:
    app = create_app(settings.model_copy(update={"proxies_count": count}), name=f"proxies-{count}")
    try:
        assert app.config["PROXIES_COUNT"] == believed
    finally:
        Sanic.unregister_app(app)
        configure(settings)
