"""A believable shop: the catalog, one person of each role, and a few past orders made the real way."""

import json
from dataclasses import dataclass
from datetime import timedelta

import httpx

from server.access.records import Viewer
from server.accounts import service as accounts
from server.accounts.records import AccountRecord
from server.audit.records import Actor
from server.catalog import service as catalog
from server.checkout import service as checkout
from server.checkout.service import Buyer, Press
from server.clock import now, set_back
from server.database.session import in_transaction, release
from server.demo import repository
from server.i18n import in_locale
from server.mail.worker import send_waiting
from server.settings import ROOT, settings
from server.tokens import new_token, order_key_id


@dataclass(frozen=True)
class PastOrder:
    course: int  # place in the list of published courses
    email: str
    currency: str
    locale: str
    days_ago: float
    card: str = "pm_card_visa"
    refunded: bool = False


PAST_ORDERS = [
    PastOrder(0, "viewer@playbill.example", "KRW", "ko", 20, "pm_card_mastercard"),
    PastOrder(1, "minji.kim@mail.example", "KRW", "ko", 16),
    PastOrder(2, "daniel.b@mail.example", "USD", "en", 12, "pm_card_amex"),
    PastOrder(3, "jisoo@mail.example", "KRW", "ko", 9, refunded=True),
    PastOrder(4, "haruto@mail.example", "JPY", "en", 6, "pm_card_jcb"),
    PastOrder(1, "soyeon.p@mail.example", "KRW", "ko", 3),
    PastOrder(5, "lena.w@mail.example", "USD", "en", 1, "pm_card_visa_debit"),
    PastOrder(2, "taeho@mail.example", "KRW", "ko", 0.2),
]


def catalog_data() -> dict[str, object]:
    data: dict[str, object] = json.loads((ROOT / "server" / "demo" / "catalog.json").read_text("utf-8"))
    return data


async def seed_catalog() -> int:
    """Put the demo's courses into the catalog; those that are there (by slug) stay as they are."""
    return await catalog.import_catalog(Actor.command("seed"), catalog_data())


async def seed_orders() -> None:
    """Buy, pay and refund through the services and the Stripe stand-in, with the clock set back."""
    slugs = await catalog.published_slugs()
    async with httpx.AsyncClient(base_url=settings().stripe_api_url, timeout=10) as standin:
        for past in PAST_ORDERS:
            await _buy(standin, past, slugs[past.course % len(slugs)])


async def _buy(standin: httpx.AsyncClient, past: PastOrder, slug: str) -> None:
    ordered = timedelta(days=past.days_ago)
    paid = ordered - timedelta(minutes=2)
    account: AccountRecord | None = await accounts.find_by_email(past.email)
    buyer = Buyer(account, order_key_id(new_token()), past.email, "127.0.0.1")
    with set_back(ordered), in_locale(past.locale):
        opened = await checkout.open_order(Press(buyer, (slug,), past.currency))
    viewer = Viewer(account_id=account.id if account else None, order_key_id=buyer.order_key_id)
    order = await checkout.buyers_order(viewer, opened.number)
    assert order.open_payment is not None
    intent_id = order.open_payment.intent_id
    assert intent_id is not None
    await release()
    confirmed = await standin.post(f"/_sandbox/confirm/{intent_id}", json={"card": past.card})
    confirmed.raise_for_status()
    with set_back(paid):
        await checkout.settle(intent_id)
        await send_waiting()
    if past.refunded:
        with set_back(paid / 2):
            await checkout.refund_order(order.number, Actor.command("seed"))
            await in_transaction(repository.date_refunds, order.id, now())
            await send_waiting()
