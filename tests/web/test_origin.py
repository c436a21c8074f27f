"""What changes something proves that a page of ours sent it: what browsers, proxies and strangers send."""

import re
from dataclasses import dataclass
from html import unescape
from itertools import product
from typing import Self

import httpx
import pytest

from server.settings import Settings, configure
from tests.conftest import Site
from tests.engines import on_sqlite
from tests.factories import create_course, csrf_of, post, signed_in

pytestmark = on_sqlite

PASSES, REFUSED, TOKEN_DECIDES = "passes", "refused", "the token decides"

# `None`: the header is not sent.
BY_SITE = {
    "same-origin": PASSES,
    "same-site": REFUSED,
    "cross-site": REFUSED,
    "none": TOKEN_DECIDES,
    "": REFUSED,
    "Same-Origin": REFUSED,
    "same-origin, cross-site": REFUSED,
    "anything": REFUSED,
}
# Where there is no Sec-Fetch-Site; `{port}` is the site's own.
BY_ORIGIN = {
    None: TOKEN_DECIDES,
    "null": TOKEN_DECIDES,
    "http://127.0.0.1:{port}": PASSES,
    "HTTP://127.0.0.1:{port}": PASSES,
    "https://127.0.0.1:{port}": REFUSED,
    "http://127.0.0.1": REFUSED,
    "http://127.0.0.1:1": REFUSED,
    "http://localhost:{port}": REFUSED,
    "http://evil.example": REFUSED,
    "http://127.0.0.1:{port}.evil.example": REFUSED,
    "http://127.0.0.1.evil.example:{port}": REFUSED,
    "http://evil.example#http://127.0.0.1:{port}": REFUSED,
    "http://evil@127.0.0.1:{port}": REFUSED,
    "http://127.0.0.1:{port}/": REFUSED,
    "http://127.0.0.1:{port} http://evil.example": REFUSED,
    "127.0.0.1:{port}": REFUSED,
    "file://": REFUSED,
    "": REFUSED,
    "\xff": REFUSED,
}
# PUBLIC_URL, an Origin, and whether they are the same.
ADDRESSES = [
    ("https://shop.example", "https://shop.example", True),
    ("https://shop.example:443", "https://shop.example", True),
    ("http://shop.example:80", "http://shop.example", True),
    ("https://shop.example", "https://shop.example:443", True),
    ("https://Shop.Example", "https://shop.example", True),
    ("http://[::1]:8000", "http://[::1]:8000", True),
    ("http://[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000", True),
    ("https://[2001:DB8::A]", "https://[2001:db8::a]", True),
    ("https://bücher.example", "https://xn--bcher-kva.example", True),
    ("https://shop.example", "http://shop.example", False),
    ("https://shop.example", "https://shop.example:80", False),
    ("https://shop.example", "https://shop.example:8443", False),
    ("https://shop.example", "https://www.shop.example", False),
    ("https://shop.example", "https://shop.example.evil.example", False),
    ("http://[::1]:8000", "http://[::2]:8000", False),
    (f"https://{'x' * 70}.example", "https://[nonsense", False),
]
TOKENS = ("right", "forged", "none")


@dataclass
class Form:
    """The sign-in form, in a browser that sends what a test says."""

    client: httpx.AsyncClient
    token: str
    port: int

    @classmethod
    async def open(cls, site: Site) -> Self:
        client = site.client()
        token = csrf_of((await client.get("/login")).text)
        return cls(client, token, client.base_url.port or 0)

    async def passes(self, site_header: str | None, origin: str | None, token: str) -> bool:
        """Whether the form is read with these headers and this token."""
        headers: dict[str, str | bytes] = {}
        if site_header is not None:
            headers["Sec-Fetch-Site"] = site_header
        if origin is not None:
            headers["Origin"] = origin.format(port=self.port).encode("latin-1")
        fields = {"email": "", "password": ""}
        if token != "none":
            fields["csrf_token"] = self.token if token == "right" else "forged"
        answer = await self.client.post("/login", data=fields, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code in (422, 403)
        return answer.status_code == 422


def expected(told: str, token: str) -> bool:
    return told == PASSES or (told == TOKEN_DECIDES and token == "right")


async def test_where_fetch_metadata_is_sent_it_decides(site: Site, session: None) -> None:
    form = await Form.open(site)

    wrong = [
        (told, origin, token)
        for told, origin, token in product(BY_SITE, BY_ORIGIN, TOKENS)
        if await form.passes(told, origin, token) != expected(BY_SITE[told], token)
    ]

    assert wrong == []


async def test_where_it_is_not_the_origin_decides(site: Site, session: None) -> None:
    form = await Form.open(site)

    wrong = [
        (origin, token)
        for origin, token in product(BY_ORIGIN, TOKENS)
        if await form.passes(None, origin, token) != expected(BY_ORIGIN[origin], token)
    ]

    assert wrong == []


async def test_the_origin_is_that_of_the_public_url(site: Site, session: None, settings: Settings) -> None:
    client = site.client()

    wrong = []
    for public_url, origin, is_ours in ADDRESSES:
        configure(settings.model_copy(update={"public_url": public_url}))
        answer = await client.post("/login", data={"email": ""}, headers={"Origin": origin})
        if answer.status_code != (422 if is_ours else 403):
            wrong.append((public_url, origin))
    assert wrong == []


async def test_the_name_under_which_the_site_was_opened_proves_nothing(site: Site, session: None) -> None:
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}

    answer = await site.client().post("/login", data={"email": ""}, headers=headers)

    assert answer.status_code == 403


async def test_a_refusal_says_where_the_site_lives(site: Site, session: None) -> None:
    port = site.url.rpartition(":")[2]
    headers = {"Host": f"shop.lan:{port}", "Origin": f"http://shop.lan:{port}"}
    client = site.client()

    page = await client.post("/login", data={"email": ""}, headers=headers)
    script = await client.post("/checkout/first-night/order", json={}, headers=headers)

    assert f"This site lives at {site.url}." in page.text
    assert f'href="{site.url}"' in page.text
    told = script.json()["error"]
    assert (told["code"], told["address"]) == ("foreign_origin", site.url)


async def test_a_script_proves_its_origin_in_the_same_way(site: Site, session: None) -> None:
    await create_course()
    client = site.client()
    shown = csrf_of((await client.get("/checkout/first-night")).text)

    async def press(**headers: str) -> int:
        answer = await client.post("/checkout/first-night/order", json={"email": "?"}, headers=headers)
        return answer.status_code

    assert await press() == 403
    assert await press(**{"X-CSRF-Token": shown}) == 422
    assert await press(**{"X-CSRF-Token": "forged", "Sec-Fetch-Site": "same-origin"}) == 422
    assert await press(**{"X-CSRF-Token": shown, "Sec-Fetch-Site": "same-site"}) == 403
    assert await press(**{"X-CSRF-Token": shown, "Origin": "http://evil.example"}) == 403


# Forms of pages without a token

PUBLIC_PAGES = ["/", "/courses", "/courses/first-night", "/terms", "/privacy", "/refund-policy"]


@pytest.mark.parametrize("path", PUBLIC_PAGES)
async def test_a_public_page_carries_nothing_of_who_asks(site: Site, session: None, path: str) -> None:
    await create_course()
    strangers = [
        site.client(),
        site.client(cookies={"playbill_csrf": "seed", "playbill_flash": "signed_out"}),
        site.client(headers={"User-Agent": "another"}),
    ]

    pages = [await one.get(path) for one in strangers]

    assert [page.headers.get_list("set-cookie") for page in pages] == [[]] * 3
    assert len({page.content for page in pages}) == 1
    assert "csrf" not in pages[0].text and "no-store" not in pages[0].headers["cache-control"]


@pytest.mark.parametrize("path", PUBLIC_PAGES)
async def test_every_form_of_a_public_page_can_be_sent_once_more(
    site: Site, session: None, path: str
) -> None:
    """Or a browser that tells nothing could not send it at all."""
    await create_course()
    viewer, _ = await signed_in(site)
    for client in (site.client(), viewer):
        posted = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', (await client.get(path)).text)
        assert posted
        for action in posted:
            answer = await client.post(action)
            assert "Please press once more" in answer.text, action


async def test_a_form_without_proof_is_asked_once_more_and_keeps_its_fields(
    site: Site, session: None
) -> None:
    client = site.client()
    fields = {"lang": "ko", "currency": "JPY", "next": '/courses?q="><script>'}

    asked = await client.post("/preferences", data=fields)

    assert asked.status_code == 403
    assert "no-store" in asked.headers["cache-control"]
    assert "playbill_lang" not in client.cookies, "nothing is done before it is pressed"
    assert "<script>" not in asked.text
    assert ">Save</button>" in asked.text
    pressed = await client.post("/preferences", data={**fields, "csrf_token": token_in_form(asked)})
    assert pressed.status_code == 303
    assert (client.cookies["playbill_lang"], client.cookies["playbill_currency"]) == ("ko", "JPY")
    assert hidden(asked) == [*fields.items()]


def token_in_form(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def hidden(page: httpx.Response) -> list[tuple[str, str]]:
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return [(name, unescape(value)) for name, value in found if name != "csrf_token"]


async def test_signing_out_once_more_signs_out(site: Site, session: None) -> None:
    client, _ = await signed_in(site)

    asked = await client.post("/logout")
    still_in = await client.get("/account")
    pressed = await client.post("/logout", data={"csrf_token": token_in_form(asked)})

    assert (asked.status_code, still_in.status_code, pressed.status_code) == (403, 200, 303)
    assert (await client.get("/account")).status_code == 303
    assert "You are signed out." in (await client.get(pressed.headers["location"])).text


async def test_another_site_is_not_asked_once_more(site: Site, session: None) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        answer = await site.client().post("/preferences", data={"lang": "ko"}, headers=headers)
        assert answer.status_code == 403
        assert "once more" not in answer.text


async def test_a_script_gets_no_page_to_press(site: Site, session: None) -> None:
    answer = await site.client().post("/preferences", json={"lang": "ko"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")


async def test_a_page_that_posts_carries_the_token_and_is_never_kept(site: Site, session: None) -> None:
    await create_course()
    viewer, _ = await signed_in(site)
    pages = [await site.client().get(path) for path in ("/login", "/signup", "/login/link")]
    pages += [await viewer.get(path) for path in ("/account", "/account/password")]
    pages.append(await site.client().get("/checkout/first-night"))

    for page in pages:
        assert csrf_of(page.text)
        assert page.headers["cache-control"] == "no-store"


async def test_a_form_that_was_opened_before_signing_in_is_taken_after_it(site: Site, session: None) -> None:
    client, _ = await signed_in(site)
    sign_in = dict(client.cookies)
    client.cookies.clear()
    before = csrf_of((await client.get("/login")).text)
    client.cookies.update(sign_in)

    answer = await client.post("/account", data={"name": "Vera", "locale": "en", "csrf_token": before})

    assert answer.status_code == 303


async def test_what_a_redirect_led_here_is_judged_by_where_it_began(site: Site, session: None) -> None:
    """A site that answers its own form by 307 to ours: browsers say cross-site, or Origin: null."""
    client, _ = await signed_in(site)
    for headers in ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, {"Origin": "null"}):
        answer = await client.post("/account", data={"name": "Mallory", "locale": "en"}, headers=headers)
        assert answer.status_code == 403
    assert "Mallory" not in (await client.get("/account")).text
    assert (await post(client, "/account", name="Vera", locale="en")).status_code == 303
