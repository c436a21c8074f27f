"""Pressing *Pay*: the pending order and its one open intent are made, or found again."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from server.access import service as access
from server.access.records import Viewer
from server.accounts import service as accounts
from server.accounts.records import AccountRecord
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, PriceRecord
from server.checkout import repository
from server.checkout.errors import (
    AlreadyOwned,
    NotForSale,
    OrderAlreadyPaid,
    OrderClaimed,
    OrderInProgress,
    WaitsInMail,
)
from server.checkout.models import OrderStatus, PaymentStatus
from server.checkout.records import OrderRecord, PaymentRecord
from server.checkout.settlement import open_key, settle, too_many_declines
from server.clock import now
from server.database.session import in_transaction, release, transaction
from server.errors import TooMany
from server.i18n import current_locale
from server.integrations.stripe import (
    IntentState,
    NoSuchIntent,
    StripeFailed,
    StripeUnavailable,
    stripe_gateway,
)
from server.settings import settings
from server.throttle import service as throttle
from server.tokens import mac, new_id, new_order_number

FIRST_CHECK_AFTER = timedelta(seconds=10)

# Against card testing. Generous for people, also for many behind one address of an office or a school.
WINDOW_S = 600
PRESSES_PER_BROWSER = 20
PRESSES_PER_EMAIL = 20
PRESSES_PER_IP = 200


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
        await count_attempt(payment)
        raise
    # Another tab, with another key after a 5xx, may have been first: then its intent is the order's. Or the
    # sweep has canceled the order meanwhile: then nobody must pay this one.
    known = await in_transaction(partial(repository.record_intent, order.id, intent.id))
    if known is None:
        await stripe_gateway().cancel_intent(intent.id)
    return intent if known == intent.id else await stripe_gateway().fetch_intent(known or intent.id)


async def count_attempt(payment: PaymentRecord) -> None:
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
