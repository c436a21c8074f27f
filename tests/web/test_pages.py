"""What every page keeps: headers, language, errors."""

import asyncio
import re

import httpx
import pytest

from server.accounts import profile
from server.settings import ROOT, Settings
from tests.conftest import Site
from tests.engines import on_sqlite
from tests.factories import course, create_course, post, signed_in, stock

PAGES = [
    "/",
    "/courses",
    "/login",
    "/login/link",
    "/signup",
    "/terms",
    "/privacy",
    "/refund-policy",
    "/nothing",
]


@on_sqlite
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_forbids_foreign_and_inline_code(site: Site, session: None, path: str) -> None:
    async with site.client() as client:
        answer = await client.get(path)

    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "style-src 'self';" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    # What the policy would block must not be there in the first place.
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert " style=" not in answer.text and "<style" not in answer.text
    assert not re.search(r"\son[a-z]+=", answer.text)


@on_sqlite
async def test_only_the_checkout_page_lets_stripe_in(site: Site, session: None, settings: Settings) -> None:
    await create_course()
    async with site.client() as client:
        checkout = (await client.get("/checkout/first-night")).headers["content-security-policy"]
        course = (await client.get("/courses/first-night")).headers["content-security-policy"]

    stripe = f"http://localhost:{settings.sandbox_stripe_port}"
    assert stripe in checkout
    assert "style-src 'self' 'unsafe-inline';" in checkout  # it styles what it inserts
    assert checkout.count("unsafe") == 1
    assert stripe not in course


@on_sqlite
@pytest.mark.parametrize(
    ("headers", "cookies", "query", "language"),
    [
        ({"Accept-Language": "en-US,en;q=0.9"}, {}, "", "en"),
        ({"Accept-Language": "ko-KR"}, {}, "", "ko"),
        ({"Accept-Language": "fr, de;q=0.5"}, {}, "", "ko"),
        ({"Accept-Language": "en;q=0.1, ko;q=0.9"}, {}, "", "ko"),
        ({"Accept-Language": "nonsense;q=x,,"}, {}, "", "ko"),
        ({"Accept-Language": "en"}, {"playbill_lang": "ko"}, "", "ko"),
        ({"Accept-Language": "en"}, {"playbill_lang": "ko"}, "?lang=en", "en"),
        ({"Accept-Language": "en"}, {"playbill_lang": "xx"}, "?lang=xx", "en"),
    ],
)
async def test_the_language_is_the_closest_wish(
    site: Site, session: None, headers: dict[str, str], cookies: dict[str, str], query: str, language: str
) -> None:
    async with site.client(headers=headers, cookies=cookies) as client:
        page = (await client.get(f"/{query}")).text

    assert f'<html lang="{language}"' in page


@on_sqlite
@pytest.mark.parametrize(
    ("cookies", "query", "language"),
    [({}, "", "ko"), ({"playbill_lang": "en"}, "", "en"), ({}, "?lang=en", "en")],
)
async def test_the_language_of_the_account_goes_before_the_browsers_wish_and_after_a_choice(
    site: Site, session: None, cookies: dict[str, str], query: str, language: str
) -> None:
    client, account = await signed_in(site)
    await profile.save_profile(account.id, "Vera", "ko")
    client.cookies.update(cookies)

    page = await client.get(f"/terms{query}", headers={"Accept-Language": "en"})

    assert f'<html lang="{language}"' in page.text


@on_sqlite
@pytest.mark.parametrize(("language", "price"), [("ko", "₩33,000"), ("en", "$33.00"), ("ja", "3,300")])
async def test_the_currency_follows_the_language(
    site: Site, session: None, language: str, price: str
) -> None:
    await create_course()
    async with site.client(headers={"Accept-Language": language}) as client:
        assert price in (await client.get("/courses/first-night")).text


@on_sqlite
async def test_a_choice_of_language_and_currency_stays(site: Site, session: None) -> None:
    await create_course()
    async with site.client() as client:
        answer = await post(client, "/preferences", lang="ko", currency="JPY", next="/courses/first-night")
        page = (await client.get(answer.headers["location"])).text

    assert answer.headers["location"] == "/courses/first-night"
    assert '<html lang="ko"' in page
    assert "3,300" in page and "₩33,000" not in page


@on_sqlite
async def test_a_text_that_stands_in_for_another_language_says_so(site: Site, session: None) -> None:
    english = {"en": "Only in English"}
    named = {"title": english, "promise": english, "teacher": {"name": english, "bio": english}}
    await stock(course("first-night", description={"en": "First.\n\nSecond."}, **named))
    async with site.client() as client:
        korean = await _page_in(client, "ko")
        assert 'lang="en">Only' not in await _page_in(client, "en")

    assert "<title>Only in English" in korean
    assert '<meta name="description" content="Only in English">' in korean
    assert '<h1><span lang="en">Only in English</span></h1>' in korean
    assert '<p><span lang="en">Second.</span></p>' in korean
    assert "&lt;span" not in korean


async def _page_in(client: httpx.AsyncClient, language: str) -> str:
    return (await client.get("/courses/first-night", headers={"Accept-Language": language})).text


@on_sqlite
@pytest.mark.parametrize(
    "next_path",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""],
)
async def test_a_next_never_leads_away(site: Site, session: None, next_path: str) -> None:
    async with site.client() as client:
        answer = await post(client, "/preferences", next=next_path)

    assert answer.headers["location"] == "/"


@on_sqlite
async def test_errors_are_pages_for_people_and_json_for_scripts(site: Site, session: None) -> None:
    async with site.client() as client:
        page = await client.get("/nothing")
        script = await client.get("/nothing", headers={"Accept": "application/json"})

    assert page.status_code == script.status_code == 404
    assert "<html" in page.text
    assert set(script.json()["error"]) == {"code", "message"}


@on_sqlite
async def test_nothing_of_a_traceback_reaches_the_visitor(
    site: Site, session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.site import legal

    def broken(template: str) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(legal, "page", broken)  # stands for any bug of ours
    async with site.client() as client:
        answer = await client.get("/terms")

    assert answer.status_code == 500
    assert "secret detail" not in answer.text and "Traceback" not in answer.text


@on_sqlite
async def test_static_files_are_cached_for_ever_under_their_digest(site: Site, session: None) -> None:
    async with site.client() as client:
        page = (await client.get("/")).text
        found = re.search(r'href="(/static/css/[^"]+\?v=[0-9a-f]{12})"', page)
        assert found
        versioned = await client.get(found[1])
        plain = await client.get(found[1].split("?")[0])
        outside = await client.get("/static/../setup.cfg")

    assert "immutable" in versioned.headers["cache-control"]
    assert "immutable" not in plain.headers.get("cache-control", "")
    assert outside.status_code == 404


@on_sqlite
async def test_an_invented_digest_is_not_kept_for_ever(site: Site, session: None) -> None:
    async with site.client() as client:
        answer = await client.get("/static/css/base.css?v=attacker")

    assert "immutable" not in answer.headers.get("cache-control", "")


@on_sqlite
@pytest.mark.parametrize(
    "cookie", ["playbill_sign_in", "playbill_order_key", "playbill_csrf", "playbill_lang"]
)
async def test_rubbish_in_a_cookie_is_nobodys(site: Site, session: None, cookie: str) -> None:
    async with site.client(headers={"Cookie": f"{cookie}=\xff\xfe".encode("latin-1")}) as client:
        assert (await client.get("/")).status_code == 200
        posted = await client.post("/logout", headers={b"X-CSRF-Token": b"\xff"})

    assert posted.status_code == 403


@on_sqlite
@pytest.mark.parametrize(
    "request_line", [b"GET /\xff HTTP/1.1", b"GET / HTTP/1.1\r\nContent-Length: -5", b"\x00\x01\x02"]
)
async def test_an_unreadable_request_is_answered_for_itself(
    site: Site, session: None, settings: Settings, request_line: bytes
) -> None:
    """And not with what the connection's visitor before had: a proxy's next request is somebody else's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", settings.port)
    writer.write(
        b"GET /terms HTTP/1.1\r\nHost: x\r\nAccept-Language: ko\r\nCookie: playbill_flash=signed_in\r\n\r\n"
    )
    await reader.readuntil(b"</html>")
    writer.write(request_line + b"\r\nHost: x\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()

    status = int(answer.lstrip().split(b" ", 2)[1])
    assert 400 <= status < 500, answer[:300]
    assert b"playbill_flash" not in answer


async def test_operations_answer(site: Site, session: None) -> None:
    async with site.client() as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
        figures: httpx.Response = await client.get("/metrics")
        await client.get("/courses")
        later = await client.get("/metrics")

    assert (alive.status_code, ready.status_code, figures.status_code) == (200, 200, 200)
    assert "playbill_paid_without_access 0.0" in figures.text
    assert "playbill_db_sessions_open 0.0" in later.text
    assert "playbill_db_connections_checked_out 0.0" in later.text
    assert (
        'playbill_http_request_duration_seconds_count{method="GET",route="/courses",status="200"}'
        in later.text
    )


async def test_search_engines_get_the_published_courses(
    site: Site, session: None, settings: Settings
) -> None:
    await create_course()
    async with site.client() as client:
        sitemap = (await client.get("/sitemap.xml")).text
        robots = (await client.get("/robots.txt")).text

    assert f"<loc>{settings.public_url}/courses/first-night</loc>" in sitemap
    assert f"Sitemap: {settings.public_url}/sitemap.xml" in robots
    assert "Disallow: /admin" in robots


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "static" / "img" / "icons.svg").read_text("utf-8")
    named = {
        name
        for template in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'icon\("([\w-]+)"\)', template.read_text("utf-8"))
    }
    assert named
    assert {name for name in named if f'id="{name}"' not in sprite} == set()
