"""Orders after *Pay*: looking at one, and what staff and buyers ask of them."""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from server.access.records import Viewer
from server.accounts import service as accounts
from server.checkout import figures_repository, payment_repository, repository
from server.checkout.claimed import claimed_elsewhere, send_claimed_link
from server.checkout.claims import claim_orders
from server.checkout.errors import OrderClaimed
from server.checkout.following import settle
from server.checkout.models import OrderStatus
from server.checkout.opening import Buyer, Press, open_order
from server.checkout.owning import refuse_owner
from server.checkout.quotes import quote
from server.checkout.records import OrderRecord
from server.checkout.refunds import refund_order
from server.clock import now
from server.database.outage import is_outage
from server.database.session import in_transaction_if_possible
from server.errors import NotFound, PlaybillError
from server.integrations.stripe import PAYMENT_METHODS
from server.paging import Page
from server.stripe_events.service import Outcome

__all__ = [
    "PAYMENT_METHODS",
    "Buyer",
    "Outcome",
    "Press",
    "claim_orders",
    "claimed_elsewhere",
    "open_order",
    "quote",
    "refund_order",
    "refuse_owner",
    "send_claimed_link",
    "settle",
]

SETTLE_AT_MOST_EVERY = timedelta(seconds=2)
SETTLE_AT_LEAST_EVERY = timedelta(minutes=1)
PAGE_WAITS_S = 3.0
ORDERS_PER_PAGE = 50

log = logging.getLogger("playbill.checkout")


async def buyers_order(viewer: Viewer, number: str) -> OrderRecord:
    """An order for whoever has bought it; NotFound for everybody else.

    Once it is in an account, the browser that bought it has to sign in (raises OrderClaimed): somebody
    else may sit there now.
    """
    order = await repository.get(number)
    if order is None or not {order.viewer_id, order.order_key_id} & set(viewer.ids):
        raise NotFound
    if order.viewer_id not in viewer.ids:
        raise OrderClaimed
    return order


async def look_again(order: OrderRecord) -> OrderRecord:
    """Settle a pending order from a page that waits for it: at most every 2 s, and never failing the page."""
    payment = order.open_payment
    if not order.waits_for_money or payment is None or payment.intent_id is None:
        return order
    at = now()
    # A page that stays open asks ever less often: one forgotten tab must not use up Stripe's patience.
    pause = min(SETTLE_AT_LEAST_EVERY, max(SETTLE_AT_MOST_EVERY, (at - payment.created_at) / 30))
    if abs(at - payment.looked_at) < pause:
        return order
    # Of many polls at once, one looks.
    look = partial(payment_repository.claim_look, payment.id, at, pause)
    if not await in_transaction_if_possible(look):
        return order
    try:
        async with asyncio.timeout(PAGE_WAITS_S):
            await settle(payment.intent_id)
    except Exception as error:
        if not (isinstance(error, PlaybillError | TimeoutError) or is_outage(error)):
            raise
        log.warning("order %s could not be settled now: %s", order.number, type(error).__name__)
        return order
    return await repository.get(order.number) or order


async def orders_of(viewer: Viewer) -> list[OrderRecord]:
    """Settled orders of this account and this browser, newest first."""
    return await repository.list_of_viewers(viewer.ids) if viewer.ids else []


async def opens_anything(order_key_id: str) -> bool:
    """Whether whoever sits at this browser sees or watches what a guest bought there."""
    return bool(await repository.list_of_viewers([order_key_id]))


async def list_orders(query: str, status: OrderStatus | None, page_number: int) -> Page[OrderRecord]:
    """For staff: newest first; `query` is an order number or the beginning of an e-mail address."""
    return await figures_repository.list_page(
        status=status,
        number_or_email=query,
        email_key=accounts.email_key(query) if query else "",
        number=page_number,
        size=ORDERS_PER_PAGE,
    )


async def get_order_for_staff(number: str) -> OrderRecord:
    order = await repository.get(number)
    if order is None:
        raise NotFound
    return order


async def count_paid_without_access() -> int:
    return await figures_repository.count_paid_without_access()


async def sales_between(start: datetime, end: datetime) -> list[tuple[str, int, int]]:
    """(currency, orders, amount in minor units after refunds) of what was paid in this span."""
    return await figures_repository.list_sales(start, end)
