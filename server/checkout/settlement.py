"""Bring an order into line with everything that Stripe says about one of its intents.

It never believes an event: it fetches the whole state, decides (decisions.py) and writes that down once, so
late, doubled and reordered events cannot matter. The order's `version` is read before the fetch and compared
under the lock: a state that was fetched before another one was applied is thrown away and fetched again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.access import service as access
from server.access.models import GrantState
from server.alerts import service as alerts
from server.alerts.records import AmountDiffers
from server.checkout import paid_twice, payment_repository, refund_repository, repository, telling
from server.checkout.decisions import Changes, decide, differences, payment_of
from server.checkout.models import OrderStatus
from server.checkout.records import OrderRecord
from server.checkout.repository import OrderVersion
from server.clock import now
from server.database.session import in_transaction, release
from server.errors import PlaybillError, Unavailable
from server.integrations.gateways import gateways
from server.integrations.stripe import NoSuchIntent
from server.integrations.stripe_facts import EventFact, IntentState
from server.stripe_events import service as stripe_events
from server.stripe_events.service import Outcome

ATTEMPTS = 6
TOOK_MONEY = ("succeeded", "processing", "requires_capture")

log = logging.getLogger("playbill.checkout")


class UnknownOrder(PlaybillError):
    """The intent carries our mark but no order has that number: perhaps our commit is not visible yet."""

    status = 500
    code = "unknown_order"


class SettlementBusy(Unavailable):
    """Others kept settling the same order; the caller comes again."""

    code = "settlement_busy"


class StaleState(Exception):
    """Something else was applied to the order since this state was fetched."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was found and done; what it may ask for next is its caller's second act (following.py)."""

    outcome: Outcome
    order_id: str | None = None
    declines: int = 0  # on an intent that can still be paid
    has_refunds_to_make: bool = False


async def bring_into_line(intent_id: str, event: EventFact | None = None) -> Settlement:
    """Fetch the intent's whole state and apply it once; with `event`, only if that event is new.

    Raises StripeUnavailable, UnknownOrder, SettlementBusy. Must not be called inside a transaction.
    """
    known = await repository.version_by_intent(intent_id, event.id if event else "")
    if event and (known.has_event if known else await stripe_events.handled([event.id])):
        return Settlement(Outcome.DUPLICATE)
    for _ in range(ATTEMPTS):
        await release()
        try:
            state = await gateways().stripe.fetch_whole(intent_id)
        except NoSuchIntent:
            # Another account's, or another life of a test account: nothing of ours to bring into line.
            log.warning("intent %s is unknown to Stripe", intent_id)
            return Settlement(Outcome.NOT_OURS)
        if known is None:
            known = await _order_that_it_names(state)
            if known is None:
                return Settlement(Outcome.NOT_OURS)
            continue  # the version must be older than the state
        try:
            return await in_transaction(apply, known, state, event)
        except StaleState:
            known = await repository.version_of(known.order_id)
    raise SettlementBusy


async def _order_that_it_names(state: IntentState) -> OrderVersion | None:
    if state.order_number is None:
        return None
    known = await repository.version_by_number(state.order_number)
    if known is None:
        # Stripe may deliver this before our commit is visible; let it come again.
        raise UnknownOrder
    return known


async def apply(known: OrderVersion, state: IntentState, event: EventFact | None) -> Settlement:
    """Write down what the state means, in one transaction. Raises StaleState."""
    await access.lock_viewers([known.viewer_id, known.pressed_key_id])
    order, paid = await repository.lock_with_paid(known)
    if order.version != known.version:
        raise StaleState
    at = now()
    if event and not await stripe_events.note(event):
        return Settlement(Outcome.DUPLICATE, order.id)
    payment = payment_of(order, state)
    if payment is None and state.status not in TOOK_MONEY:
        return Settlement(Outcome.APPLIED, order.id)  # nobody can have paid it: its secret never got out
    # A canceled intent gives nothing, whatever it says; its payment must not stay open for ever.
    found = differences(order, payment, state) if payment and state.status != "canceled" else []
    if payment is None or found:
        await _alert_staff(order, state, found or ["order"])
        return Settlement(Outcome.DIFFERS, order.id)
    refunds = await refund_repository.of_order(order.id) if order.paid_at else []
    disputes = await refund_repository.disputes_of(order.id) if order.paid_at else []
    changes = decide(order, payment, refunds, disputes, state)
    await _write_money(order, changes, state, at)
    await _write_access(order, changes)
    repaid = await paid_twice.pay_back(order, changes, paid, at)
    if changes.became_paid:
        await telling.of_purchase(order, changes, paid, known.address_account_id, paid_twice=bool(repaid))
    await telling.of_refunds(order, changes, refunds)
    return Settlement(
        Outcome.APPLIED,
        order.id,
        declines=state.declines if state.status.startswith("requires_") else 0,
        has_refunds_to_make=bool(repaid) or any(one.is_requested for one in refunds),
    )


async def _write_money(order: OrderRecord, changes: Changes, state: IntentState, at: datetime) -> None:
    payment, charge = changes.payment, changes.charge
    await payment_repository.tell(
        payment.id,
        intent_id=state.id,
        status=changes.payment_status,
        charge_id=charge.id if charge else None,
        card_brand=charge.brand if charge else None,
        card_last4=charge.last4 if charge else None,
        declines=changes.declines,
        last_declined_at=at if changes.declines > payment.declines else payment.last_declined_at,
        succeeded_at=payment.succeeded_at or (at if state.status == "succeeded" else None),
        looked_at=at,
    )
    await repository.follow_payments(
        order.id,
        version=order.version + 1,
        status=changes.status,
        paid_at=at if changes.became_paid else order.paid_at,
        canceled_at=order.canceled_at if changes.status is OrderStatus.CANCELED else None,
    )
    for found in changes.refunds:
        fact = found.fact
        refund_id = found.refund_id
        if refund_id is None:
            refund_id = await refund_repository.add_found(
                order.id,
                payment.id,
                stripe_id=fact.id,
                amount=fact.amount,
                currency=fact.currency,
                status=fact.status,
                created_at=fact.created_at,
            )
        else:
            await refund_repository.tell(refund_id, stripe_id=fact.id, status=fact.status)
        await refund_repository.assign(refund_id, found.items)
    for item in order.items:
        if item.refunded_amount != changes.refunded[item.id]:
            await repository.mark_item_refunded(item.id, changes.refunded[item.id])
    for dispute in changes.disputes:
        await refund_repository.keep_dispute(
            dispute.id,
            order_id=order.id,
            payment_id=payment.id,
            amount=dispute.amount,
            currency=dispute.currency,
            status=dispute.status,
            reason=dispute.reason,
            created_at=dispute.created_at,
        )


async def _write_access(order: OrderRecord, changes: Changes) -> None:
    if changes.grants:
        wanted = [(item.id, item.course_id, changes.grants[item.id]) for item in order.items]
        await access.follow_payment(order.viewer_id, wanted, is_first=changes.became_paid)


async def _alert_staff(order: OrderRecord, state: IntentState, found: Sequence[str]) -> None:
    await alerts.raise_alert(
        AmountDiffers(intent=state.id, differs=list(found), amount=state.amount, currency=state.currency),
        f"differs:{state.id}",
        order_number=order.number,
    )


async def settle_free(order: OrderRecord) -> None:
    """An order that costs nothing is paid as soon as it is made. In the transaction that makes it."""
    at = now()
    await repository.follow_payments(
        order.id, version=order.version + 1, status=OrderStatus.PAID, paid_at=at, canceled_at=None
    )
    wanted = [(item.id, item.course_id, GrantState.ACTIVE) for item in order.items]
    await access.follow_payment(order.viewer_id, wanted, is_first=True)
    await telling.of_gift(order)
