"""A catalog and people for the tests of shop window and staff pages."""

from collections.abc import Iterable
from typing import Any

import httpx

from server.accounts import service as accounts
from server.accounts.models import Role
from server.accounts.records import AccountRecord
from server.accounts.service import Browser
from server.catalog import service as catalog
from server.catalog.records import CategoryRecord
from server.database.session import session_scope
from tests.conftest import Site

PASSWORD = "playbill-demo"
CATEGORIES = [
    {"slug": "kitchen", "name": {"ko": "부엌", "en": "Kitchen"}},
    {"slug": "stage", "name": {"ko": "음악과 글", "en": "Music and Writing"}},
]


def lecture(title: str, key: str = "", *, preview: bool = False) -> dict[str, Any]:
    return {
        "title": {"en": title, "ko": f"{title} 강의"},
        "media_content_key": key,
        "duration_s": 70,
        "preview": preview,
    }


def course(slug: str, **changes: Any) -> dict[str, Any]:
    """A course in the shape of an imported file."""
    title = slug.replace("-", " ").title()
    return {
        "slug": slug,
        "category": "kitchen",
        "level": "beginner",
        "status": "published",
        "published_on": "2026-05-20",
        "cover": "img/favicon.svg",
        "title": {"en": title, "ko": f"{title} 강좌"},
        "promise": {"en": "A promise.", "ko": "약속이에요."},
        "description": {"en": "First.\n\nSecond.", "ko": "하나.\n\n둘."},
        "learn": [{"en": "One thing", "ko": "한 가지"}],
        "teacher": {"name": {"en": "Hana Seo", "ko": "서하나"}, "bio": {"en": "Teaches.", "ko": "가르쳐요."}},
        "questions": [{"q": {"en": "Why?", "ko": "왜요?"}, "a": {"en": "Because.", "ko": "그래서요."}}],
        "prices": {"KRW": 33000, "USD": 3300, "JPY": 3300},
        "sections": [
            {
                "title": {"en": "Act one", "ko": "1막"},
                "lectures": [
                    lecture("Opening", f"{slug}-key-open"[:64], preview=True),
                    lecture("Behind the curtain", f"{slug}-key-secret"[:64]),
                ],
            }
        ],
        **changes,
    }


async def stock(*courses: dict[str, Any]) -> None:
    """Put these courses into the catalog of the ambient session's database."""
    await catalog.import_catalog({"categories": CATEGORIES, "courses": courses})


async def category(slug: str) -> CategoryRecord:
    return next(one for one in await catalog.categories() if one.slug == slug)


async def stock_site(site: Site, courses: Iterable[dict[str, Any]]) -> None:
    async with session_scope(site.app.ctx.sessions):
        await stock(*courses)


async def signed_in(
    site: Site, role: Role = Role.VIEWER, name: str = ""
) -> tuple[httpx.AsyncClient, AccountRecord]:
    """A browser in English that is signed in to a new account of this role."""
    email = f"{name or role.value}@playbill.example"
    async with session_scope(site.app.ctx.sessions):
        account = await accounts.create_account(email, PASSWORD, role, name)
        token = await accounts.sign_in(email, PASSWORD, Browser("127.0.0.1", "test", None))
    return browser(site, playbill_sign_in=token), account


_opened: list[httpx.AsyncClient] = []


def browser(site: Site, language: str = "en", **cookies: str) -> httpx.AsyncClient:
    """A browser that is closed after the test."""
    client = site.client(headers={"Accept-Language": language}, cookies=cookies)
    _opened.append(client)
    return client


async def close_browsers() -> None:
    while _opened:
        await _opened.pop().aclose()


async def csrf(client: httpx.AsyncClient, path: str = "/terms") -> str:
    """The token that a page of the site carries for this browser."""
    text = (await client.get(path)).text
    return text.split('name="csrf-token" content="')[1].split('"')[0]


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form as a browser on one of our pages would."""
    return await client.post(path, data={**fields, "csrf_token": await csrf(client)})
