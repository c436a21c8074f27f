"""Pressing *Pay*: the pending order and its one open intent are made, or found again.

Three steps, each of which asks anew what the one before has seen: *place* the order, *make* its intent at
Stripe, *hand out* the secret. Between them others act (tabs, workers, Stripe); the two steps in the database
hold the buyer's viewers locked, so of all presses of one buyer one decides at a time.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from weakref import WeakValueDictionary

from server.access import service as access
from server.access.records import Viewer
from server.accounts import service as accounts
from server.accounts.records import AccountRecord
from server.checkout import payment_repository, repository
from server.checkout.card_testing import too_many_declines
from server.checkout.ending import close, withdraw
from server.checkout.errors import CheckoutError, OrderAlreadyPaid, OrderInProgress, QuoteChanged
from server.checkout.following import settle
from server.checkout.owning import refuse_owner
from server.checkout.quotes import quote
from server.checkout.records import OrderRecord, PaymentRecord, Quote
from server.checkout.settlement import settle_free
from server.clock import now
from server.database.session import in_transaction, release
from server.errors import TooMany
from server.i18n import current_locale
from server.integrations.gateways import gateways
from server.integrations.stripe import NoSuchIntent, StripeFailed, StripeUnavailable
from server.integrations.stripe_facts import IntentState
from server.settings import settings
from server.throttle import service as throttle
from server.tokens import mac, new_order_number

FIRST_CHECK_AFTER = timedelta(seconds=10)
# One after the other closes what the one before left open; a buyer has no more tabs than that at once.
ROUNDS = 8
TURN_WITHIN_S = 5.0

# Against card testing. Generous for people, also for many behind one address of an office or a school.
WINDOW_S = 600
PRESSES_PER_BROWSER = 20
PRESSES_PER_EMAIL = 20
PRESSES_PER_IP = 200

log = logging.getLogger("playbill.checkout")


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
class Press:
    """One press of *Pay*: who, for which courses, and which quote the page showed (None: it did not say)."""

    buyer: Buyer
    slugs: tuple[str, ...]
    currency: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What the page needs to confirm a payment; the secret goes to this browser and nowhere else."""

    number: str
    client_secret: str | None  # None where nothing is to be paid
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The order of a press; or none yet, for these payments of the same buyer must be closed at Stripe."""

    order: OrderRecord | None
    rivals: Sequence[PaymentRecord] = ()


class Lost(Exception):
    """The order or its payment was closed while its intent was being made."""


async def open_order(press: Press) -> OpenOrder:
    """Make the pending order and its one open intent, or reuse them: called whenever *Pay* is pressed.

    Raises AlreadyOwned, OrderAlreadyPaid, WaitsInMail, OrderInProgress, QuoteChanged, NotForSale, TooMany,
    StripeUnavailable, NotFound.
    """
    await brake(press.buyer)
    for _ in range(ROUNDS):
        async with _turn(press.buyer):
            placed = await in_transaction(place, press)
        if placed.order is None:
            await close(placed.rivals)
            continue
        order = placed.order
        if order.open_payment is None:
            return OpenOrder(order.number, None, order.amount, order.currency)
        intent = await make_intent(order, order.open_payment)
        if intent is None:
            continue
        try:
            async with _turn(press.buyer):
                rivals = await in_transaction(hand_out, press, order, intent)
            if not rivals:
                return OpenOrder(order.number, intent.client_secret, intent.amount, intent.currency)
            await close(rivals)
        except Lost:
            await withdraw(order, intent)
            await refuse_late(press, order)
        except (CheckoutError, StripeUnavailable):
            await withdraw(order, intent)
            await in_transaction(_end, order.id)
            raise
    raise OrderInProgress


# Of one buyer's presses one at a time waits for the lock: the others need no connection of the database's.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def _turn(buyer: Buyer) -> AsyncIterator[None]:
    turn = _turns.setdefault(buyer.viewer_id, asyncio.Lock())
    await release()
    try:
        async with asyncio.timeout(TURN_WITHIN_S):
            await turn.acquire()
    except TimeoutError as error:
        raise OrderInProgress from error
    try:
        yield
    finally:
        turn.release()


async def brake(buyer: Buyer) -> None:
    limits = {f"browser:{buyer.viewer_id}": PRESSES_PER_BROWSER, f"ip:{buyer.ip}": PRESSES_PER_IP}
    if buyer.account is None:
        # Together with the network: a stranger who types somebody's address must not lock them out.
        limits[f"email:{accounts.email_key(buyer.email)}|{buyer.ip}"] = PRESSES_PER_EMAIL
    await throttle.hit("pay", limits, WINDOW_S)
    if await too_many_declines(buyer.viewer_id, buyer.ip_mac):
        raise TooMany


# --- in the database, under the lock of the buyer's viewers


async def place(press: Press) -> Placed:
    """Find or make the order of this press and its open payment, unless something must be closed first."""
    buyer = press.buyer
    await _lock(buyer)
    asked = await quote(press.slugs, press.currency)
    await refuse_owner(buyer.account, buyer.viewer, asked.course_ids)
    # Before anything is closed: a page of yesterday's price must not end another tab's payment.
    if press.digest not in (None, asked.digest):
        raise QuoteChanged(asked.total, asked.currency, asked.digest)
    pending = await repository.lock_open(buyer.viewer_id, buyer.order_key_id, asked.course_ids)
    own = next((one for one in pending if _is_of(one, press, asked)), None)
    rivals = await _close_here(one for one in pending if one is not own)
    if rivals:
        return Placed(None, rivals)
    order_id = own.id if own else await _add(press, asked)
    order = await repository.look(order_id)
    if order.amount == 0:
        await settle_free(order)
    elif order.open_payment is None:
        at = now()
        await payment_repository.add(order, len(order.payments) + 1, at, at + FIRST_CHECK_AFTER)
    return Placed(await repository.look(order_id))


async def hand_out(press: Press, placed: OrderRecord, intent: IntentState) -> Sequence[PaymentRecord]:
    """Record the intent and let its secret go, if nothing else of this buyer is paid or can be paid.

    Returns the payments that must be closed at Stripe first; then the secret stays here. Raises Lost.
    """
    buyer = press.buyer
    await _lock(buyer)
    course_ids = placed.course_ids
    found = await repository.lock_open(buyer.viewer_id, buyer.order_key_id, course_ids, and_order=placed.id)
    order = next(one for one in found if one.id == placed.id)
    payment = order.open_payment
    if not order.is_pending or payment is None or payment.intent_id not in (None, intent.id):
        raise Lost
    if payment.intent_id is None and payment.attempt != intent.attempt:
        raise Lost
    await refuse_owner(buyer.account, buyer.viewer, course_ids)
    await payment_repository.record_intent(payment.id, intent.id)
    rivals = await _close_here(one for one in found if one is not order)
    if rivals:
        return rivals
    at = now()
    locale = current_locale()
    if (order.email, order.locale) != (buyer.email, locale):
        key = accounts.email_key(buyer.email)
        await repository.readdress(order.id, email=buyer.email, email_key=key, locale=locale)
    await payment_repository.mark_secret_out(payment.id, at, at + FIRST_CHECK_AFTER)
    return ()


async def _lock(buyer: Buyer) -> None:
    """Both of the buyer's viewers; the browser's is made at its first press."""
    ids = [buyer.viewer_id, buyer.order_key_id]
    if buyer.order_key_id in await access.lock_viewers(ids):
        return
    await access.register_viewer(buyer.order_key_id)
    await repository.add_order_key(buyer.order_key_id, now())
    await access.lock_viewers(ids)


def _is_of(order: OrderRecord, press: Press, asked: Quote) -> bool:
    return order.viewer_id == press.buyer.viewer_id and order.quote_digest == asked.digest


async def _close_here(orders: Iterable[OrderRecord]) -> list[PaymentRecord]:
    """Cancel what nobody can pay yet; returns what somebody holds the secret of, to be closed at Stripe."""
    out = []
    for order in orders:
        payment = order.open_payment
        if payment is not None and payment.secret_out_at is not None:
            out.append(payment)
        else:
            await repository.cancel(order, now())
    return out


async def _add(press: Press, asked: Quote) -> str:
    buyer = press.buyer
    return await repository.add_order(
        asked,
        number=new_order_number(),
        viewer_id=buyer.viewer_id,
        order_key_id=None if buyer.account else buyer.order_key_id,
        pressed_key_id=buyer.order_key_id,
        email=buyer.email,
        email_key=accounts.email_key(buyer.email),
        locale=current_locale(),
        ip_mac=buyer.ip_mac,
        open_key=open_key(buyer.viewer_id, asked),
        at=now(),
    )


def open_key(viewer_id: str, asked: Quote) -> str:
    """What a buyer can have one pending order of: these courses, in this currency."""
    courses = hashlib.sha256(",".join(sorted(asked.course_ids)).encode()).hexdigest()[:32]
    return f"{viewer_id}:{courses}:{asked.currency}"


# --- at Stripe, without a lock


async def make_intent(order: OrderRecord, payment: PaymentRecord) -> IntentState | None:
    """The payment's intent, to be confirmed by a browser; None if it is of no use: then place again.

    Raises OrderAlreadyPaid, OrderInProgress, StripeUnavailable.
    """
    await release()
    try:
        intent = await _fetch_or_create(order, payment)
    except NoSuchIntent:
        # Other keys, or another life of a test account: this payment cannot be paid any more.
        await in_transaction(payment_repository.cancel, payment.id, payment.intent_id)
        return None
    except StripeFailed:
        await in_transaction(payment_repository.count_try, payment.id, payment.tries)
        raise
    if intent.status.startswith("requires_") and intent.status != "requires_capture":
        return intent
    await settle(intent.id)
    if intent.status == "canceled":
        return None
    raise (OrderAlreadyPaid if intent.status == "succeeded" else OrderInProgress)(order.number)


async def _fetch_or_create(order: OrderRecord, payment: PaymentRecord) -> IntentState:
    if payment.intent_id is not None:
        return await gateways().stripe.fetch_intent(payment.intent_id)
    return await gateways().stripe.create_intent(
        order_number=order.number,
        attempt=payment.attempt,
        tries=payment.tries,
        amount=payment.amount,
        currency=payment.currency,
        quote_digest=order.quote_digest,
    )


async def _end(order_id: str) -> None:
    order = await repository.lock(order_id)
    if order is not None and order.is_pending:
        await repository.cancel(order, now())


async def refuse_late(press: Press, placed: OrderRecord) -> None:
    """Say why a press has lost its order, if that is the buyer's doing; else it makes another one."""
    buyer = press.buyer
    order = await repository.look(placed.id)
    if order.is_paid:
        raise OrderAlreadyPaid(order.number)
    await refuse_owner(buyer.account, buyer.viewer, order.course_ids)
    if not order.is_pending and await repository.has_open(
        buyer.viewer_id, buyer.order_key_id, order.course_ids
    ):
        raise OrderInProgress  # another tab was later, and goes on
