"""Plain functions that make what a test needs, through the services."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from server.accounts import service as accounts
from server.accounts.models import Role
from server.accounts.records import AccountRecord
from server.catalog import service as catalog
from server.catalog.records import CourseRecord
from server.settings import ROOT
from tests.conftest import Sandbox, Site

PASSWORD = "long enough to be a password"
MEDIA = json.loads((ROOT / "server" / "sandbox" / "media" / "contents.json").read_text("utf-8"))
PRICES = {"KRW": 33000, "USD": 3300, "JPY": 3300}


def course_data(slug: str, *, prices: dict[str, int] | None = None, **changes: Any) -> dict[str, Any]:
    def both(text: str) -> dict[str, str]:
        return {"ko": f"{text} 강좌", "en": text}

    return {
        "slug": slug,
        "category": "stage",
        "level": "beginner",
        "status": "published",
        "published_on": "2026-01-01",
        "cover": "img/covers/knife-and-board.svg",
        "title": both(f"The {slug}"),
        "promise": both("A promise."),
        "description": both("A description."),
        "learn": [both("To see.")],
        "teacher": {"name": both("Teacher"), "bio": both("Teaches.")},
        "questions": [{"q": both("Why?"), "a": both("Because.")}],
        "prices": prices or PRICES,
        "sections": [
            {
                "title": both("First act"),
                "lectures": [
                    {
                        "title": both(f"Scene {number}"),
                        "media_content_key": MEDIA[number]["media_content_key"],
                        "duration_s": MEDIA[number]["duration"],
                        "preview": number == 1,
                    }
                    for number in (1, 2, 3)
                ],
            }
        ],
    } | changes


async def create_courses(*slugs: str, **changes: Any) -> None:
    await catalog.import_catalog(
        {
            "categories": [{"slug": "stage", "name": {"ko": "무대", "en": "Stage"}}],
            "courses": [course_data(slug, **changes) for slug in slugs],
        }
    )


async def create_course(slug: str = "first-night", **changes: Any) -> CourseRecord:
    await create_courses(slug, **changes)
    return await catalog.get_any(slug)


async def create_account(email: str = "vera@mail.example", role: Role = Role.VIEWER) -> AccountRecord:
    return await accounts.create_account(email, PASSWORD, role, "Vera")


def csrf_of(page: str) -> str:
    """The token of a page, from its <meta>, the way a script reads it."""
    found = re.search(r'<meta name="csrf-token" content="([^"]+)">', page)
    assert found, "the page has no CSRF token"
    return found[1]


async def sign_in(client: httpx.AsyncClient, email: str = "vera@mail.example") -> None:
    token = csrf_of((await client.get("/login")).text)
    answer = await client.post("/login", data={"email": email, "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 303, answer.text


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Wait until something that another process does has happened."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0.05)


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
    """A guest's browser that has bought a course, settled; close the client after use."""
    from server.checkout import service as checkout
    from server.database.session import session_scope

    client = site.client()
    order = await order_in(client, slug, email)
    intent = await pay(sandbox, order)
    async with session_scope(site.app.ctx.sessions):
        await checkout.settle(intent)
    return client, order
