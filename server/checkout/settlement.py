"""`settle`: bring an order into line with everything that Stripe says about its intent.

Webhook, status poll, return page and sweep all call this one act. It never believes an event: it
fetches the whole state and applies that, so late, doubled and reordered events cannot matter. The
order's `version` is read before the fetch and compared under the lock: a state that was fetched before
another one was applied is thrown away and fetched again.
"""

import logging
from datetime import timedelta
from enum import Enum
from functools import partial

from server.access import service as access
from server.access.models import GrantState
from server.accounts import service as accounts
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.checkout import repository
from server.checkout.models import OrderStatus, PaymentStatus
from server.checkout.records import OrderRecord, PaymentRecord
from server.checkout.repository import OrderVersion
from server.clock import from_unix, now
from server.database.session import in_transaction, release
from server.errors import PlaybillError, Unavailable
from server.integrations.stripe import IntentState, NoSuchIntent, stripe_gateway
from server.integrations.stripe_events import EventFact
from server.mail import service as mail
from server.settings import settings
from server.tokens import new_id

ATTEMPTS = 6
# Against card testing. So many failed charges on one intent, by one browser or from one network are somebody
# trying out cards; generous for people, also for many behind one address of an office or a school.
MAX_DECLINES = 10
DECLINES_COUNT_FOR = timedelta(hours=1)
DECLINES_PER_BROWSER = 20
DECLINES_PER_IP = 60
GUEST_LINK_VALID_FOR = timedelta(days=30)

log = logging.getLogger("playbill.checkout")


class Outcome(Enum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"  # this event's effect is in the database already
    NOT_OURS = "not_ours"
    DIFFERS = "differs"  # amount, currency, customer or order differ: an alert, no grant


class UnknownOrder(PlaybillError):
    """The intent carries our mark but no order has that number: perhaps our commit is not visible yet."""

    status = 500
    code = "unknown_order"


class SettlementBusy(Unavailable):
    """Others kept settling the same order; the caller comes again."""

    code = "settlement_busy"


async def settle(intent_id: str, event: EventFact | None = None) -> Outcome:
    """Fetch the intent's whole state and apply it once; with `event`, only if that event is new.

    Raises StripeUnavailable, UnknownOrder, SettlementBusy. Must not be called inside a transaction.
    """
    known = await repository.version_by_intent(intent_id, event.id if event else "")
    if event and (known.has_event if known else await repository.known_events([event.id])):
        return Outcome.DUPLICATE
    for _ in range(ATTEMPTS):
        await release()
        try:
            state = await stripe_gateway().fetch_whole(intent_id)
        except NoSuchIntent:
            # Another account's, or another life of a test account: nothing of ours to bring into line.
            log.warning("intent %s is unknown to Stripe", intent_id)
            return Outcome.NOT_OURS
        if known is None:
            known = await _order_that_it_names(state)
            if known is None:
                return Outcome.NOT_OURS
            continue  # the version must be older than the state
        outcome = await in_transaction(partial(_apply, known, state, event))
        if outcome is None:
            known = await repository.version_of(known.order_id)
            continue
        if outcome is Outcome.APPLIED and _is_open(state) and await _is_card_testing(state):
            await _close_to_card_testing(state)
            event, known = None, await repository.version_by_intent(intent_id)
            continue
        return outcome
    raise SettlementBusy


async def _order_that_it_names(state: IntentState) -> OrderVersion | None:
    if state.order_number is None:
        return None
    known = await repository.version_by_number(state.order_number)
    if known is None:
        # Stripe may deliver this before our commit is visible; let it come again.
        raise UnknownOrder
    return known


def _is_open(state: IntentState) -> bool:
    return state.status.startswith("requires_")


async def _is_card_testing(state: IntentState) -> bool:
    """Also by what was declined elsewhere: secrets of many orders can be gathered first and used later."""
    if state.declines == 0 or state.order_number is None:
        return False
    if state.declines >= MAX_DECLINES:
        return True
    order = await repository.get(state.order_number)
    return order is not None and await too_many_declines(order.viewer_id, order.ip_mac)


async def too_many_declines(viewer_id: str, ip_mac: str) -> bool:
    """Whether no card may follow: so many of this viewer, or from this network, were declined lately."""
    by_viewer, by_ip = await repository.recent_declines(viewer_id, ip_mac, now() - DECLINES_COUNT_FOR)
    return by_viewer >= DECLINES_PER_BROWSER or by_ip >= DECLINES_PER_IP


async def _close_to_card_testing(state: IntentState) -> None:
    await release()
    log.warning("order %s: too many declined charges, closing its intent", state.order_number)
    await stripe_gateway().cancel_intent(state.id)


async def _apply(known: OrderVersion, state: IntentState, event: EventFact | None) -> Outcome | None:
    """One transaction. None: the state is older than what the order knows, so fetch again."""
    order, paid_by_same_address = await repository.lock_with_paid(known.order_id)
    if order.version != known.version:
        return None
    at = now()
    if event and not await repository.add_event(event.id, event.type, from_unix(event.created), at):
        return Outcome.DUPLICATE
    payment = _payment_of(order, state)
    # A canceled intent that differs gives nothing either, but its order must not stay open for ever.
    differences = [] if payment is None or state.status == "canceled" else _differences(order, payment, state)
    if payment is None or differences:
        if payment is not None:
            await repository.change_payment(payment.id, updated_at=at)
        await alerts.raise_alert(
            AlertKind.AMOUNT_DIFFERS,
            f"differs:{state.id}",
            order_number=order.number,
            intent=state.id,
            differs=differences or ["order"],
            amount=state.amount,
            currency=state.currency,
        )
        return Outcome.DIFFERS
    await _keep_refunds_and_disputes(order, payment, state)

    refunded = min(order.amount, sum(refund.amount for refund in state.refunds if refund.counts))
    status = _order_status(order, state, refunded)
    charge = state.paid_charge
    await repository.change_payment(
        payment.id,
        intent_id=state.id,
        status=_payment_status(state),
        charge_id=charge.id if charge else None,
        card_brand=charge.brand if charge else None,
        card_last4=charge.last4 if charge else None,
        declines=state.declines,
        updated_at=at,
    )
    became_paid = order.paid_at is None and state.status == "succeeded"
    await repository.change_order(
        order.id,
        version=order.version + 1,
        status=status,
        **({} if status is OrderStatus.PENDING else {"open_key": None}),
        paid_at=at if became_paid else order.paid_at,
        canceled_at=order.canceled_at or at if status is OrderStatus.CANCELED else None,
    )
    items = await _spread_refund(order, refunded)
    if state.status == "succeeded":
        await _settle_access(order, items, state, became_paid=became_paid)
        if became_paid and not all(items.values()):
            twice = _share_a_course(order, paid_by_same_address) or await _owned_otherwise(order)
            await _tell_of_purchase(order, twice=twice)
        await _tell_of_refund(order, refunded)
    return Outcome.APPLIED


def open_key(viewer_id: str, course_id: str, currency: str) -> str:
    """What a buyer can have one pending order of."""
    return f"{viewer_id}:{course_id}:{currency}"


def _payment_of(order: OrderRecord, state: IntentState) -> PaymentRecord | None:
    """The payment of this intent, or the one whose intent was made but not yet recorded (a crash)."""
    for payment in order.payments:
        if payment.intent_id == state.id:
            return payment
    return next((one for one in order.payments if one.intent_id is None), None)


def _differences(order: OrderRecord, payment: PaymentRecord, state: IntentState) -> list[str]:
    found = {
        "order": state.order_number != order.number,
        "amount": state.amount != payment.amount
        or state.amount != order.amount
        or (state.status == "succeeded" and state.amount_received != order.amount),
        "currency": state.currency != order.currency,
        "customer": state.customer is not None,  # we make no customers
    }
    return [name for name, differs in found.items() if differs]


def _payment_status(state: IntentState) -> PaymentStatus:
    match state.status:
        case "succeeded":
            return PaymentStatus.SUCCEEDED
        case "processing" | "requires_capture":
            return PaymentStatus.PROCESSING
        case "canceled":
            return PaymentStatus.CANCELED
    return PaymentStatus.FAILED if state.declines else PaymentStatus.CREATED


def _order_status(order: OrderRecord, state: IntentState, refunded: int) -> OrderStatus:
    if state.status == "succeeded":
        if refunded == 0:
            return OrderStatus.PAID
        return OrderStatus.REFUNDED if refunded >= order.amount else OrderStatus.PARTIALLY_REFUNDED
    return OrderStatus.CANCELED if state.status == "canceled" else OrderStatus.PENDING


async def _keep_refunds_and_disputes(order: OrderRecord, payment: PaymentRecord, state: IntentState) -> None:
    belongs = {"order_id": order.id, "payment_id": payment.id}
    for refund in state.refunds:
        await repository.keep_refund(
            refund.id,
            {"amount": refund.amount, "currency": refund.currency, "status": refund.status},
            {"id": new_id(), **belongs, "created_at": refund.created_at},
        )
        if refund.status == "failed":
            await alerts.raise_alert(
                AlertKind.REFUND_FAILED,
                f"refund:{refund.id}",
                order_number=order.number,
                amount=refund.amount,
                currency=refund.currency,
            )
    for dispute in state.disputes:
        await repository.keep_dispute(
            dispute.id,
            {"amount": dispute.amount, "status": dispute.status, "reason": dispute.reason},
            {"id": new_id(), **belongs, "currency": dispute.currency, "created_at": dispute.created_at},
        )
        if not (dispute.suspends or dispute.is_lost):
            continue  # an inquiry, or won: access is as it was
        await alerts.raise_alert(
            AlertKind.DISPUTE_OPENED,
            f"dispute:{dispute.id}",
            order_number=order.number,
            amount=dispute.amount,
            currency=dispute.currency,
            reason=dispute.reason,
        )


async def _spread_refund(order: OrderRecord, refunded: int) -> dict[str, bool]:
    """Give the refunded amount to the items; returns for each item id whether it is wholly refunded."""
    wanted: dict[str, int]
    if len(order.items) == 1 or refunded in (0, order.amount):
        wanted = {item.id: min(item.amount, refunded) for item in order.items}
    else:
        # Made at Stripe, which knows no items: nobody loses a course by guess; a person decides.
        wanted = {item.id: item.refunded_amount for item in order.items}
        if refunded != order.refunded_amount:
            await alerts.raise_alert(
                AlertKind.REFUND_UNASSIGNED,
                f"unassigned:{order.id}:{refunded}",
                order_number=order.number,
                amount=refunded,
                currency=order.currency,
            )
    for item in order.items:
        if item.refunded_amount != wanted[item.id]:
            await repository.change_item(item.id, refunded_amount=wanted[item.id])
    return {item.id: wanted[item.id] >= item.amount for item in order.items}


async def _settle_access(
    order: OrderRecord, wholly_refunded: dict[str, bool], state: IntentState, *, became_paid: bool
) -> None:
    if any(dispute.is_lost for dispute in state.disputes):
        unrefunded = GrantState.REVOKED
    elif any(dispute.suspends for dispute in state.disputes):
        unrefunded = GrantState.SUSPENDED
    else:
        unrefunded = GrantState.ACTIVE
    wanted = [
        (item.id, item.course_id, GrantState.REVOKED if wholly_refunded[item.id] else unrefunded)
        for item in order.items
    ]
    await access.follow_payment(order.viewer_id, wanted, is_first=became_paid)


async def _tell_of_purchase(order: OrderRecord, *, twice: bool) -> None:
    """The receipt; a guest's carries the link that proves the address and claims the purchase."""
    if twice:
        await alerts.raise_alert(
            AlertKind.BOUGHT_TWICE,
            f"twice:{order.items[0].id}",
            order_number=order.number,
            email=order.email,
        )
    watch = f"/learn/{order.items[0].course_slug}"
    if order.is_guests:
        token = await accounts.issue_link(order.email, next=watch, valid_for=GUEST_LINK_VALID_FOR)
        watch = f"/login/link/{token}"
    await mail.enqueue(
        f"receipt:{order.id}",
        order.email,
        "receipt",
        order.locale,
        order=order,
        paid_at=now(),
        link=settings().public_url + watch,
        is_guest=order.is_guests,
        bought_twice=twice,
    )


def _share_a_course(order: OrderRecord, others: list[OrderRecord]) -> bool:
    """Whether one of the others has bought, and not given back, a course of this order."""
    courses = {item.course_id for item in order.items}
    items = [item for other in others for item in other.items]
    return any(item.course_id in courses and item.refunded_amount < item.amount for item in items)


async def _owned_otherwise(order: OrderRecord) -> bool:
    """Whether this viewer, or the account of the same address, has one of the courses by another grant."""
    courses = [item.course_id for item in order.items]
    own_items = {item.id for item in order.items}
    grants = await access.open_grants_of_address(order.email_key, order.viewer_id, courses)
    return any(grant.order_item_id not in own_items for grant in grants)


async def _tell_of_refund(order: OrderRecord, refunded: int) -> None:
    if refunded > order.refunded_amount:
        await mail.enqueue(
            f"refund:{order.id}:{order.version}",
            order.email,
            "refund",
            order.locale,
            order=order,
            refunded_amount=refunded - order.refunded_amount,
            closes_access=refunded >= order.amount,
        )
