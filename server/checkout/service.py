"""Orders before money: opening one, refunding one, claiming one, and what staff and buyers ask of them."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from server.access import service as access
from server.access.records import Viewer
from server.accounts import service as accounts
from server.accounts.records import AccountRecord
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, PriceRecord
from server.checkout import repository
from server.checkout.models import OrderStatus, PaymentStatus
from server.checkout.records import OrderRecord, PaymentRecord
from server.checkout.settlement import Outcome, open_key, settle, too_many_declines
from server.clock import now
from server.database.session import in_transaction, release, transaction
from server.errors import NotFound, PlaybillError, SignInFirst, TooMany
from server.i18n import N_, current_locale
from server.integrations.stripe import (
    IntentState,
    NoSuchIntent,
    StripeFailed,
    StripeRefused,
    StripeUnavailable,
    stripe_gateway,
)
from server.paging import Page
from server.playback import service as playback
from server.settings import settings
from server.throttle import service as throttle
from server.tokens import mac, new_id, new_order_number

__all__ = ["Outcome", "settle"]

FIRST_CHECK_AFTER = timedelta(seconds=10)
SETTLE_AT_MOST_EVERY = timedelta(seconds=2)
SETTLE_AT_LEAST_EVERY = timedelta(minutes=1)
PAGE_WAITS_S = 3.0
ORDERS_PER_PAGE = 50

# Against card testing. Generous for people, also for many behind one address of an office or a school.
WINDOW_S = 600
PRESSES_PER_BROWSER = 20
PRESSES_PER_EMAIL = 20
PRESSES_PER_IP = 200

log = logging.getLogger("playbill.checkout")


class CheckoutError(PlaybillError):
    status = 409

    def __init__(self, order_number: str | None = None) -> None:
        super().__init__(order_number)
        self.order_number = order_number

    @property
    def details(self) -> dict[str, object]:
        return {"order": self.order_number} if self.order_number else {}


class OrderInProgress(CheckoutError):
    code = "order_in_progress"
    message = N_("A payment for this order is under way. This page will show when it is through.")


class OrderAlreadyPaid(CheckoutError):
    code = "order_already_paid"
    message = N_("This order is paid already.")


class AlreadyOwned(CheckoutError):
    code = "already_owned"
    message = N_("You own this course already.")


class WaitsInMail(CheckoutError):
    code = "waits_in_mail"
    message = N_(
        "This course was bought with your e-mail address. Follow the link in the receipt, or in a sign-in "
        "link that you ask for, and it is in your account."
    )


class OrderClaimed(SignInFirst):
    """An account holds by now what this browser bought."""


class NotForSale(CheckoutError):
    status = 422
    code = "currency_not_offered"
    message = N_("This course has no price in that currency. Please reload the page.")


class NothingToRefund(CheckoutError):
    code = "nothing_to_refund"
    message = N_("There is nothing left to refund on this order.")


class RefundRefused(CheckoutError):
    code = "refund_refused"
    message = N_("Stripe refused the refund. A disputed payment, for example, cannot be refunded.")


class RefundUnclear(CheckoutError):
    status = 503
    code = "refund_unclear"
    message = N_("Stripe did not answer, so the refund may be under way. Press again: it is paid back once.")


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who pays: an account, or a browser with its order key and an e-mail address that proves nothing."""

    account: AccountRecord | None
    order_key_id: str
    email: str
    ip: str

    @property
    def viewer_id(self) -> str:
        return self.account.id if self.account else self.order_key_id

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.account.id if self.account else None, self.order_key_id)

    @property
    def ip_mac(self) -> str:
        """Tells one network from another without keeping its address."""
        return mac(settings().secret_key, "buyer-ip", self.ip)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What the page needs to confirm a payment; the secret goes to this browser and nowhere else."""

    number: str
    client_secret: str
    amount: int
    currency: str


async def open_order(buyer: Buyer, slug: str, currency: str) -> OpenOrder:
    """Make the pending order and its one open intent, or reuse them: called whenever *Pay* is pressed.

    Raises AlreadyOwned, OrderAlreadyPaid, OrderClaimed, WaitsInMail, OrderInProgress, NotForSale, TooMany,
    StripeUnavailable, NotFound.
    """
    await _brake(buyer)
    course = await catalog.course_for_sale(slug)
    price = catalog.price_in(course, currency)
    if price is None or price.currency != currency:
        raise NotForSale
    await refuse_owner(buyer.account, buyer.viewer, course.id)
    key = open_key(buyer.viewer_id, course.id, price.currency)
    await _close_rivals(buyer, course, key)
    for _ in range(3):
        order = await in_transaction(partial(_find_or_make, buyer, course, price, key))
        await release()
        try:
            intent = await _intent_of(order)
        except NoSuchIntent:
            # Other keys, or another life of a test account: this order cannot be paid any more.
            await in_transaction(partial(repository.cancel_unpaid, order.id, order.payment.intent_id, now()))
            continue
        if order.amount != price.amount and intent.status.startswith("requires_"):
            await stripe_gateway().cancel_intent(intent.id)
            intent = await stripe_gateway().fetch_intent(intent.id)  # perhaps it was paid meanwhile
        if intent.status != "canceled":
            # Again, with our intent recorded: of two tabs that press at once, the later sees the earlier.
            await _close_rivals(buyer, course, key)
            return await _hand_out(buyer, order, intent)
        await settle(intent.id)  # cancels the order too, so the next round makes a new one
    raise StripeUnavailable


async def _brake(buyer: Buyer) -> None:
    limits = {f"browser:{buyer.viewer_id}": PRESSES_PER_BROWSER, f"ip:{buyer.ip}": PRESSES_PER_IP}
    if buyer.account is None:
        # Together with the network: a stranger who types somebody's address must not lock them out.
        limits[f"email:{accounts.email_key(buyer.email)}|{buyer.ip}"] = PRESSES_PER_EMAIL
    await throttle.hit("pay", limits, WINDOW_S)
    if await too_many_declines(buyer.viewer_id, buyer.ip_mac):
        raise TooMany


async def refuse_owner(account: AccountRecord | None, viewer: Viewer, course_id: str) -> None:
    """What this account owns or its address paid for, or this browser has bought, is not sold to it again.

    Raises AlreadyOwned or OrderAlreadyPaid; WaitsInMail if nobody has claimed it yet; OrderClaimed if by now
    an account, perhaps another person's, holds what this browser bought. A guest's e-mail address is not
    asked: the answer would tell whose address it is.
    """
    if await access.open_course_ids(viewer, [course_id]):
        raise AlreadyOwned if account else OrderAlreadyPaid
    if account is not None:
        if account.is_proven and await repository.unclaimed_order_of(account.email_key, course_id):
            raise WaitsInMail
    elif viewer.order_key_id and await repository.claimed_order_of(viewer.order_key_id, course_id):
        raise OrderClaimed


async def _close_rivals(buyer: Buyer, course: CourseRecord, key: str) -> None:
    """Cancel what this buyer left open for the same course in another currency, or before signing in.

    Two tabs must not pay for one course twice. Raises what the other tab's payment means for this one.
    """
    for rival in await repository.list_rivals(buyer.viewer.ids, course.id, key):
        intent_id = rival.payment.intent_id
        if intent_id is None:
            continue
        await release()
        try:
            canceled = await stripe_gateway().cancel_intent(intent_id)
        except NoSuchIntent:
            continue
        await settle(intent_id)
        if not canceled:
            await refuse_owner(buyer.account, buyer.viewer, course.id)
            raise OrderInProgress(rival.number)


async def _find_or_make(buyer: Buyer, course: CourseRecord, price: PriceRecord, key: str) -> OrderRecord:
    order = await repository.get_open(key)
    if order is None:
        await _make(buyer, course, price, key)
        order = await repository.get_open(key)
    assert order is not None
    at = now()
    # The buyer is active: look after this payment closely again.
    await repository.change_payment(order.payment.id, checks=0, next_check_at=at + FIRST_CHECK_AFTER)
    return order


async def _make(buyer: Buyer, course: CourseRecord, price: PriceRecord, key: str) -> None:
    if buyer.account is None and await access.register_viewer(buyer.order_key_id):
        await repository.add_order_key(buyer.order_key_id, now())
    at = now()
    order_id = new_id()
    await repository.add_order(
        {
            "id": order_id,
            "number": new_order_number(),
            "viewer_id": buyer.viewer_id,
            "order_key_id": None if buyer.account else buyer.order_key_id,
            "email": buyer.email,
            "email_key": accounts.email_key(buyer.email),
            "locale": current_locale(),
            "ip_mac": buyer.ip_mac,
            "currency": price.currency,
            "amount": price.amount,
            "status": OrderStatus.PENDING,
            "open_key": key,
            "created_at": at,
        },
        [
            {
                "id": new_id(),
                "order_id": order_id,
                "course_id": course.id,
                "course_title": course.title,
                "course_slug": course.slug,
                "amount": price.amount,
            }
        ],
        {
            "id": new_id(),
            "order_id": order_id,
            "attempt": 1,
            "amount": price.amount,
            "currency": price.currency,
            "status": PaymentStatus.CREATED,
            "next_check_at": at + FIRST_CHECK_AFTER,
            "created_at": at,
            "updated_at": at,
        },
    )


async def _intent_of(order: OrderRecord) -> IntentState:
    payment = order.payment
    if payment.intent_id is not None:
        return await stripe_gateway().fetch_intent(payment.intent_id)
    try:
        intent = await stripe_gateway().create_intent(
            order_number=order.number,
            attempt=payment.attempt,
            amount=payment.amount,
            currency=payment.currency,
            description=f"Playbill {order.number}",
        )
    except StripeFailed:
        await _count_attempt(payment)
        raise
    # Another tab, with another key after a 5xx, may have been first: then its intent is the order's. Or the
    # sweep has canceled the order meanwhile: then nobody must pay this one.
    known = await in_transaction(partial(repository.record_intent, order.id, intent.id))
    if known is None:
        await stripe_gateway().cancel_intent(intent.id)
    return intent if known == intent.id else await stripe_gateway().fetch_intent(known or intent.id)


async def _count_attempt(payment: PaymentRecord) -> None:
    """After a 5xx the next try needs another key, or it gets the same answer for a day.

    Safe for an intent, whose secret nobody got, and for a refund of all that is left, which Stripe
    grants once.
    """
    async with transaction():
        await repository.change_payment(payment.id, attempt=payment.attempt + 1)


async def _hand_out(buyer: Buyer, order: OrderRecord, intent: IntentState) -> OpenOrder:
    if intent.status == "succeeded":
        await settle(intent.id)
        raise OrderAlreadyPaid(order.number)
    if intent.status == "processing":
        raise OrderInProgress(order.number)
    if order.email != buyer.email or order.locale != current_locale():
        readdress = partial(
            repository.readdress,
            order.id,
            email=buyer.email,
            email_key=accounts.email_key(buyer.email),
            locale=current_locale(),
        )
        if not await in_transaction(readdress):
            raise OrderAlreadyPaid(order.number)
    return OpenOrder(order.number, intent.client_secret, intent.amount, intent.currency)


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
    """Move what was bought with a proven address into its account. In the caller's transaction."""
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
            await _count_attempt(payment)
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
