"""Plain functions that make what a test needs, through the services."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import stripe

from server.accounts import service as accounts
from server.accounts import signing_in
from server.accounts.models import Role
from server.accounts.records import AccountRecord
from server.audit import service as audit
from server.audit.records import Actor, AuditRecord
from server.catalog import service as catalog
from server.catalog.records import CategoryRecord, CourseRecord, LectureDraft, LectureRecord
from server.checkout import service as checkout
from server.database.session import current_session, session_scope
from server.mail import worker
from server.settings import ROOT
from server.web import cookies
from tests.conftest import Sandbox, Site

PASSWORD = "long enough to be a password"
MEDIA = json.loads((ROOT / "server" / "sandbox" / "media" / "contents.json").read_text("utf-8"))
MEDIA_KEYS: list[str] = [video["media_content_key"] for video in MEDIA]


# What was done


async def entries_of(subject: str, subject_id: str) -> list[AuditRecord]:
    """What the audit tells of one thing, from the first act on. Needs a session."""
    return (await audit.entries(1, {subject: [subject_id]})).items[::-1]


# The catalog

TESTER = Actor.command("tests")


def both(english: str) -> dict[str, str]:
    return {"en": english, "ko": f"{english} 강좌"}


def lecture(title: str, video: int, *, preview: bool = False) -> dict[str, Any]:
    """With one of the videos that the stand-in of Kollus has."""
    return {
        "title": both(title),
        "media_content_key": MEDIA_KEYS[video],
        "duration_s": MEDIA[video]["duration"],
        "preview": preview,
    }


def section(title: str, *lectures: dict[str, Any]) -> dict[str, Any]:
    return {"title": both(title), "lectures": lectures}


def course(slug: str, **changes: Any) -> dict[str, Any]:
    """A published course in the shape of an imported file; both of its lectures last 70 s."""
    return {
        "slug": slug,
        "category": "kitchen",
        "level": "beginner",
        "status": "published",
        "published_on": "2026-01-01",
        "cover": "img/covers/knife-and-board.svg",
        "title": both(slug.replace("-", " ").title()),
        "promise": both("A promise."),
        "description": both("First.\n\nSecond."),
        "learn": [both("One thing")],
        "teacher": {"name": both("Hana Seo"), "bio": both("Teaches.")},
        "questions": [{"q": both("Why?"), "a": both("Because.")}],
        "prices": {"KRW": 33000, "USD": 3300, "JPY": 3300},
        "sections": [
            section("Act one", lecture("Opening", 0, preview=True), lecture("Behind the curtain", 3))
        ],
    } | changes


async def stock(*courses: dict[str, Any]) -> None:
    """Put these courses and two categories into the catalog. Needs a session."""
    categories = [
        {"slug": "kitchen", "name": both("Kitchen")},
        {"slug": "stage", "name": both("Music and Writing")},
    ]
    await catalog.import_catalog(TESTER, {"categories": categories, "courses": courses})


async def stock_site(site: Site, courses: Iterable[dict[str, Any]]) -> None:
    async with session_scope(site.app.ctx.sessions):
        await stock(*courses)


async def create_course(slug: str = "first-night") -> CourseRecord:
    """One course in the catalog. Needs a session."""
    await stock(course(slug))
    return await catalog.get_any(slug)


async def take_video_away(lecture: LectureRecord) -> None:
    draft = LectureDraft(lecture.title, "", lecture.duration_s, lecture.is_preview)
    await catalog.edit_lecture(TESTER, lecture.course_id, lecture.id, lecture.section_id, draft)


async def category(slug: str) -> CategoryRecord:
    return next(one for one in await catalog.categories() if one.slug == slug)


# People


async def create_account(email: str = "vera@mail.example", role: Role = Role.VIEWER) -> AccountRecord:
    return await accounts.create_account(TESTER, email, PASSWORD, role, "Vera")


def csrf_of(page: str) -> str:
    """The token of a page, from its <meta>, the way a script reads it."""
    found = re.search(r'<meta name="csrf-token" content="([^"]+)">', page)
    assert found, "the page has no CSRF token"
    return found[1]


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form as a browser on one of our pages would."""
    return await client.post(path, data=fields, headers={"Sec-Fetch-Site": "same-origin"})


async def sign_in(client: httpx.AsyncClient, email: str = "vera@mail.example") -> None:
    answer = await post(client, "/login", email=email, password=PASSWORD)
    assert answer.status_code == 303, answer.text


async def signed_in(
    site: Site, role: Role = Role.VIEWER, name: str = ""
) -> tuple[httpx.AsyncClient, AccountRecord]:
    """A browser that is signed in to a new account of this role."""
    email = f"{name or role.value}@playbill.example"
    async with session_scope(site.app.ctx.sessions):
        account = await accounts.create_account(TESTER, email, PASSWORD, role, name)
        token = await signing_in.sign_in(email, PASSWORD, accounts.Browser("127.0.0.1", "test", None))
    return site.client(cookies={cookies.SIGN_IN: token}), account


async def mailed_link(sandbox: Sandbox, to: str) -> str:
    """Send what waits in the outbox; the path of the sign-in link in the newest mail to this address."""
    await current_session().reset()
    await worker.send_waiting()
    newest = [mail for mail in sandbox.messages() if mail["to"] == to][-1]
    found = re.search(r"/login/link/[\w-]+", newest["text"])
    assert found, newest["text"]
    return found[0]


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Wait until something that another process does has happened."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0.05)


# Buying


@dataclass
class Checkout:
    """A browser on the checkout page of a course."""

    client: httpx.AsyncClient
    slug: str
    token: str

    async def press_pay(self, email: str = "guest@mail.example", currency: str = "KRW") -> httpx.Response:
        return await self.client.post(
            f"/checkout/{self.slug}/order",
            json={"email": email, "currency": currency},
            headers={"X-CSRF-Token": self.token},
        )


async def open_checkout(client: httpx.AsyncClient, slug: str = "first-night") -> Checkout:
    page = await client.get(f"/checkout/{slug}")
    assert page.status_code == 200, page.text
    return Checkout(client, slug, csrf_of(page.text))


def intent_of(order: dict[str, Any]) -> str:
    """The id of the intent whose client secret a pressed *Pay* returned."""
    return str(order["client_secret"]).split("_secret_")[0]


async def order_in(
    client: httpx.AsyncClient,
    slug: str = "first-night",
    email: str = "guest@mail.example",
    currency: str = "KRW",
) -> dict[str, Any]:
    """Press *Pay* in a browser; returns what the page gets."""
    answer = await (await open_checkout(client, slug)).press_pay(email, currency)
    assert answer.status_code == 200, answer.text
    order: dict[str, Any] = answer.json()
    return order


async def pay(
    sandbox: Sandbox, order: dict[str, Any], card: str = "pm_card_visa", outcome: str = "complete"
) -> str:
    """Confirm at Stripe as a buyer's browser would; returns the intent's id."""
    intent = intent_of(order)
    await sandbox.astripe(f"confirm/{intent}", card=card, outcome=outcome)
    return intent


async def status_of(client: httpx.AsyncClient, order: dict[str, Any]) -> str:
    answer = await client.get(f"/orders/{order['order']}/status")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])


async def bought(
    site: Site, sandbox: Sandbox, slug: str = "first-night", email: str = "guest@mail.example"
) -> tuple[httpx.AsyncClient, dict[str, Any]]:
    """A guest's browser that has bought a course, settled."""
    client = site.client()
    order = await order_in(client, slug, email)
    intent = await pay(sandbox, order)
    async with session_scope(site.app.ctx.sessions):
        await checkout.settle(intent)
    return client, order


def signature_of(body: bytes, secret: str, at: int | None = None) -> str:
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at or int(time.time()))
    return str(header)


async def deliver(client: httpx.AsyncClient, body: bytes, signature: str) -> httpx.Response:
    """Post an event as Stripe does."""
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
    return await client.post("/webhooks/stripe", content=body, headers=headers)
