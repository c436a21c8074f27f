"""Orders after *Pay*: looking at one, refunding one, claiming one, and what staff and buyers ask of them."""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from server.access import service as access
from server.access.records import Viewer
from server.accounts import service as accounts
from server.accounts.records import AccountRecord
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.catalog import service as catalog
from server.checkout import repository
from server.checkout.errors import NothingToRefund, OrderClaimed, RefundRefused, RefundUnclear
from server.checkout.models import OrderStatus
from server.checkout.opening import Buyer, count_attempt, open_order, refuse_owner
from server.checkout.records import OrderRecord
from server.checkout.settlement import Outcome, settle
from server.clock import now
from server.database.session import in_transaction, release, require_transaction
from server.errors import NotFound, PlaybillError
from server.integrations.stripe import StripeFailed, StripeRefused, StripeUnavailable, stripe_gateway
from server.paging import Page
from server.playback import service as playback

__all__ = ["Buyer", "Outcome", "open_order", "refuse_owner", "settle"]

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
    payment = order.payment
    if order.status is not OrderStatus.PENDING or payment.intent_id is None:
        return order
    at = now()
    # A page that stays open asks ever less often: one forgotten tab must not use up Stripe's patience.
    pause = min(SETTLE_AT_LEAST_EVERY, max(SETTLE_AT_MOST_EVERY, (at - payment.created_at) / 30))
    if timedelta(0) <= at - payment.updated_at < pause:
        return order
    # Of many polls at once, one looks.
    if not await in_transaction(partial(repository.claim_look, payment.id, at - pause, at)):
        return order
    try:
        async with asyncio.timeout(PAGE_WAITS_S):
            await settle(payment.intent_id)
    except (PlaybillError, TimeoutError) as error:
        log.warning("order %s could not be settled now: %s", order.number, type(error).__name__)
        return order
    return await repository.get(order.number) or order


async def orders_of(viewer: Viewer) -> list[OrderRecord]:
    """Settled orders of this account and this browser, newest first."""
    return await repository.list_of_viewers(viewer.ids) if viewer.ids else []


async def claim_orders(account: AccountRecord) -> None:
    """Move what was bought with a proven address into its account."""
    require_transaction()
    for order in await repository.list_unclaimed(account.email_key):
        assert order.order_key_id is not None
        await _tell_of_second_purchase(account, order)
        await repository.change_order(order.id, viewer_id=account.id)
        course_ids = await access.move([item.id for item in order.items], account.id)
        await playback.move_progress(order.order_key_id, account.id, course_ids)


async def _tell_of_second_purchase(account: AccountRecord, order: OrderRecord) -> None:
    owned = await access.open_course_ids(Viewer.of(account.id), [item.course_id for item in order.items])
    for item in order.items:
        if item.course_id in owned and item.refunded_amount < item.amount:
            await alerts.raise_alert(
                AlertKind.BOUGHT_TWICE, f"twice:{item.id}", order_number=order.number, email=order.email
            )


async def recount_sales() -> None:
    """Tell the catalog how often each course was sold; its order by popularity follows an hour behind."""
    await catalog.recount_sales(await repository.sold_per_course())


async def list_orders(query: str, status: OrderStatus | None, page_number: int) -> Page[OrderRecord]:
    """For staff: newest first; `query` is an order number or the beginning of an e-mail address."""
    items, total = await repository.list_page(
        status=status,
        number_or_email=query,
        email_key=accounts.email_key(query) if query else "",
        offset=(page_number - 1) * ORDERS_PER_PAGE,
        limit=ORDERS_PER_PAGE,
    )
    return Page(items, total, page_number, ORDERS_PER_PAGE)


async def get_order_for_staff(number: str) -> OrderRecord:
    order = await repository.get(number)
    if order is None:
        raise NotFound
    return order


async def refund_order(number: str) -> None:
    """Give back what is left of a paid order and close its access.

    Pressed twice, or by two people at once, money goes back once: the idempotency key counts the
    refunds known so far. Raises NothingToRefund, RefundRefused, StripeUnavailable, NotFound.
    """
    order = await get_order_for_staff(number)
    payment = order.paid_payment
    left = order.amount - order.refunded_amount
    if not order.is_paid or payment is None or payment.intent_id is None or left <= 0:
        raise NothingToRefund(number)
    await release()
    try:
        await stripe_gateway().refund(
            order_number=number,
            attempt=payment.attempt,
            intent_id=payment.intent_id,
            amount=left,
            refunds_so_far=len(order.refunds),
        )
    except StripeUnavailable as error:
        if isinstance(error, StripeFailed):
            await count_attempt(payment)
        raise RefundUnclear(number) from error
    except StripeRefused as refusal:
        log.warning("refund of order %s refused: %s", number, refusal.reason)
        await settle(payment.intent_id)  # perhaps it was refunded at Stripe meanwhile
        if refusal.reason != "charge_already_refunded":
            raise RefundRefused(number) from refusal
        return
    await settle(payment.intent_id)


async def count_paid_without_access() -> int:
    return await repository.count_paid_without_access()


async def sales_between(start: datetime, end: datetime) -> list[tuple[str, int, int]]:
    """(currency, orders, amount in minor units after refunds) of what was paid in this span."""
    return await repository.list_sales(start, end)
