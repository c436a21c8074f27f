"""What a state of Stripe means for an order: decided from values alone, without a question to anybody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.access.models import GrantState
from server.checkout.models import OrderStatus, PaymentStatus
from server.checkout.records import DisputeRecord, OrderRecord, PaymentRecord, RefundRecord
from server.integrations.stripe_facts import Charge, DisputeFact, IntentState, RefundFact


@dataclass(frozen=True, slots=True)
class FoundRefund:
    """A refund as Stripe tells it; `refund_id` is None for one that is new to us."""

    fact: RefundFact
    refund_id: str | None
    items: Mapping[str, int]  # order item id → minor units; what is missing nobody has assigned


@dataclass(frozen=True, slots=True)
class Changes:
    payment: PaymentRecord
    payment_status: PaymentStatus
    charge: Charge | None
    declines: int
    status: OrderStatus
    became_paid: bool  # by this state, and was not before
    is_surplus: bool  # another payment of the order had succeeded before this one did: all of it goes back
    refunds: Sequence[FoundRefund]
    disputes: Sequence[DisputeFact]
    refunded: Mapping[str, int]  # order item id → what of it is given back in all
    unassigned: int  # given back, but nobody has said for which items
    grants: Mapping[str, GrantState]  # by order item id; empty while nothing is paid


def payment_of(order: OrderRecord, state: IntentState) -> PaymentRecord | None:
    """The payment of this intent, or the one whose intent was made but not yet recorded (a crash)."""
    known = next((one for one in order.payments if one.intent_id == state.id), None)
    unrecorded = (one for one in order.payments if one.intent_id is None and one.attempt == state.attempt)
    return known or next(unrecorded, None)


def differences(order: OrderRecord, payment: PaymentRecord, state: IntentState) -> list[str]:
    """In which of the facts that we gave it the intent is another than ours."""
    found = {
        "order": state.order_number != order.number,
        "amount": state.amount != payment.amount
        or state.amount != order.amount
        or (state.status == "succeeded" and state.amount_received != order.amount),
        "currency": state.currency != order.currency,
        "customer": state.customer != payment.customer_id,
        "quote": state.quote_digest not in (None, order.quote_digest),
    }
    return [name for name, differs in found.items() if differs]


def decide(
    order: OrderRecord,
    payment: PaymentRecord,
    refunds: Sequence[RefundRecord],
    disputes: Sequence[DisputeRecord],
    state: IntentState,
) -> Changes:
    """The order's state follows from all its payments, of which `payment` is now as `state` tells.

    `refunds` and `disputes` are those known so far, of every payment of the order.
    """
    succeeded = state.status == "succeeded"
    paid_by = order.paid_payment or (payment if succeeded else None)
    pays = paid_by is not None and paid_by.id == payment.id
    found = [_found(fact, refunds) for fact in sorted(state.refunds, key=lambda one: one.created_at)]
    if pays:
        found = _assigned(order, found)
        refunded = _by_item(order, found)
        given_back = sum(one.fact.amount for one in found if one.fact.counts)
        standings: list[DisputeFact | DisputeRecord] = [*state.disputes]
    else:
        refunded = {item.id: item.refunded_amount for item in order.items}
        of_paying = [one for one in refunds if paid_by and one.payment_id == paid_by.id]
        given_back = sum(one.amount for one in of_paying if one.counts)
        standings = [one for one in disputes if paid_by and one.payment_id == paid_by.id]
    given_back = min(order.amount, given_back)
    return Changes(
        payment=payment,
        payment_status=_payment_status(state),
        charge=state.paid_charge,
        declines=state.declines,
        status=_order_status(order, paid_by, given_back),
        became_paid=order.paid_payment is None and succeeded,
        is_surplus=succeeded and not pays,
        refunds=found,
        disputes=state.disputes,
        refunded=refunded,
        unassigned=given_back - sum(refunded.values()),
        grants=_grants(order, refunded, standings) if paid_by else {},
    )


def _payment_status(state: IntentState) -> PaymentStatus:
    match state.status:
        case "succeeded":
            return PaymentStatus.SUCCEEDED
        case "processing" | "requires_capture":
            return PaymentStatus.PROCESSING
        case "canceled":
            return PaymentStatus.CANCELED
    return PaymentStatus.FAILED if state.declines else PaymentStatus.CREATED


def _order_status(order: OrderRecord, paid_by: PaymentRecord | None, given_back: int) -> OrderStatus:
    if paid_by is None:
        # A canceled payment ends nothing: while the quote stands, the next press adds another one.
        return OrderStatus.CANCELED if order.canceled_at else OrderStatus.PENDING
    if given_back == 0:
        return OrderStatus.PAID
    return OrderStatus.REFUNDED if given_back >= order.amount else OrderStatus.PARTIALLY_REFUNDED


def _found(fact: RefundFact, refunds: Iterable[RefundRecord]) -> FoundRefund:
    for known in refunds:
        if fact.id == known.stripe_id or (known.stripe_id is None and fact.our_id == known.id):
            return FoundRefund(fact, known.id, {item.order_item_id: item.amount for item in known.items})
    return FoundRefund(fact, None, {})


def _assigned(order: OrderRecord, found: Sequence[FoundRefund]) -> list[FoundRefund]:
    """Say of refunds made at Stripe, which knows no items, which items they are of.

    Clear where it can only be one, or where all of the order is given back. Else nobody loses a course by
    guess: a person decides.
    """
    spent = _by_item(order, found)
    left = {item.id: item.amount - spent[item.id] for item in order.items if item.amount > spent[item.id]}
    open_amount = sum(_unassigned(one) for one in found)
    if len(left) > 1 and open_amount < sum(left.values()):
        return list(found)
    complete = []
    for one in found:
        items = dict(one.items)
        amount = _unassigned(one)
        for item_id in list(left):
            share = min(amount, left[item_id])
            if share:
                items[item_id] = items.get(item_id, 0) + share
                left[item_id] -= share
                amount -= share
        complete.append(FoundRefund(one.fact, one.refund_id, items))
    return complete


def _unassigned(found: FoundRefund) -> int:
    return found.fact.amount - sum(found.items.values()) if found.fact.counts else 0


def _by_item(order: OrderRecord, found: Iterable[FoundRefund]) -> dict[str, int]:
    counting = [one for one in found if one.fact.counts]
    return {
        item.id: min(item.amount, sum(one.items.get(item.id, 0) for one in counting)) for item in order.items
    }


def _grants(
    order: OrderRecord, refunded: Mapping[str, int], disputes: Sequence[DisputeFact | DisputeRecord]
) -> dict[str, GrantState]:
    if any(one.is_lost for one in disputes):
        unrefunded = GrantState.REVOKED
    elif any(one.suspends for one in disputes):
        unrefunded = GrantState.SUSPENDED
    else:
        unrefunded = GrantState.ACTIVE
    return {
        item.id: GrantState.REVOKED if 0 < item.amount <= refunded[item.id] else unrefunded
        for item in order.items
    }
