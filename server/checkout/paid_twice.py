"""Of two charges of one buyer for one course the later one goes back by itself, once.

The press of *Pay* keeps two from being possible (opening.py). What crosses all the same is a confirmation
that was under way when the other was pressed: it is found when the second of them is settled.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from server.access import service as access
from server.alerts import service as alerts
from server.alerts.records import PaidTwice
from server.audit import service as audit
from server.audit.records import Actor
from server.checkout import refund_repository
from server.checkout.decisions import Changes
from server.checkout.models import RefundReason
from server.checkout.records import OrderItemRecord, OrderRecord, PaymentRecord

ACTOR = Actor.job("settlement")


async def pay_back(order: OrderRecord, changes: Changes, paid: Sequence[OrderRecord], at: datetime) -> bool:
    """Want back what has just been charged a second time; whether there is such. In the settlement.

    `paid` are other orders, paid already, of the same buyer or the same address.
    """
    payment = changes.payment
    if changes.is_surplus:
        return await _want_back(
            order, payment, f"surplus:{payment.id}", amount=payment.amount, items={}, at=at
        )
    if not changes.became_paid:
        return False
    owned = await owned_through([other for other in paid if is_of_one_buyer(order, other)], at)
    twice = [item for item in order.items if item.course_id in owned and not changes.refunded[item.id]]
    return any([await repay(order, payment, item, at) for item in twice])


async def repay(order: OrderRecord, payment: PaymentRecord, item: OrderItemRecord, at: datetime) -> bool:
    """Want back what the order paid for one of its courses."""
    amount = item.amount - item.refunded_amount
    return await _want_back(order, payment, f"twice:{item.id}", amount=amount, items={item.id: amount}, at=at)


async def owned_through(orders: Sequence[OrderRecord], at: datetime) -> set[str]:
    """Courses that these orders opened and that are open still: not given back, revoked or disputed."""
    items = [item.id for order in orders for item in order.items if not item.is_refunded]
    grants = await access.grants_for_items(items) if items else []
    return {grant.course_id for grant in grants if grant.is_open(at)}


def is_of_one_buyer(one: OrderRecord, other: OrderRecord) -> bool:
    """As `repository.of_one_buyer` finds them."""
    if one.viewer_id == other.viewer_id:
        return True
    same_browser = one.pressed_key_id is not None and one.pressed_key_id == other.pressed_key_id
    return same_browser and (one.is_guests or other.is_guests)


async def _want_back(
    order: OrderRecord,
    payment: PaymentRecord,
    once_key: str,
    *,
    amount: int,
    items: Mapping[str, int],
    at: datetime,
) -> bool:
    if amount <= 0:
        return False
    is_new = await refund_repository.request(
        order.id,
        payment.id,
        reason=RefundReason.PAID_TWICE,
        amount=amount,
        currency=order.currency,
        items=items,
        at=at,
        once_key=once_key,
    )
    if is_new:
        await alerts.raise_alert(
            PaidTwice(amount=amount, currency=order.currency), once_key, order_number=order.number
        )
        # Else it still asks staff to refund one of the two: they might take the one that stays.
        await alerts.withdraw(ACTOR, f"twice:{order.id}")
        facts = {"amount": amount, "currency": order.currency, "reason": RefundReason.PAID_TWICE}
        await audit.note(ACTOR, "order.refund", "order", order.number, after=facts)
    return is_new
