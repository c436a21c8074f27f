"""Giving money back: wanted here first, then asked of Stripe, then seen there.

What is wanted is committed before Stripe is asked, and the idempotency key is made of its id: a crash, a
second press or a lost answer gives back once, and the sweep goes on with what has no answer yet.
"""

import logging
from collections import Counter

from server.alerts import service as alerts
from server.alerts.records import RefundFailed
from server.audit import service as audit
from server.audit.records import Actor
from server.checkout import refund_repository, repository
from server.checkout.errors import NothingToRefund, RefundRefused, RefundUnclear
from server.checkout.models import REFUSED, RefundReason
from server.checkout.records import OrderRecord, RefundRecord
from server.checkout.settlement import bring_into_line
from server.clock import now
from server.database.session import in_transaction, release
from server.errors import NotFound
from server.integrations.gateways import gateways
from server.integrations.stripe import StripeFailed, StripeRefused, StripeUnavailable

ROUNDS = 3

log = logging.getLogger("playbill.checkout")


async def refund_order(number: str, actor: Actor) -> None:
    """Give back what is left of a paid order and close its access.

    Pressed twice, or by two people at once, money goes back once. Raises NothingToRefund, RefundRefused,
    RefundUnclear, NotFound.
    """
    for _ in range(ROUNDS):
        order = await in_transaction(_want_rest, number, actor)
        try:
            return await make_requested(order.id, must=True)
        except RefundRefused:
            # Perhaps a part of it went back meanwhile: then the rest is wanted.
            found = await repository.get(number)
            if found is None or found.given_back == order.given_back:
                raise
    raise RefundUnclear(number)


async def _want_rest(number: str, actor: Actor) -> OrderRecord:
    """Want back whatever nobody has asked back yet; the order as it was before."""
    order = await repository.lock_whole(number)
    if order is None:
        raise NotFound
    payment = order.paid_payment
    left = order.amount - order.given_back
    if not order.is_paid or payment is None or left <= 0:
        raise NothingToRefund(number)
    rest = left - order.asked_back  # what is asked back already has its answer waited for, by whoever presses
    if rest > 0:
        await refund_repository.request(
            order.id,
            payment.id,
            reason=RefundReason.STAFF,
            amount=rest,
            currency=order.currency,
            items=_spread(rest, order),
            at=now(),
        )
        await _note(actor, "order.refund", order, rest, RefundReason.STAFF)
    return order


def _spread(amount: int, order: OrderRecord) -> dict[str, int]:
    """The rest, over the items in their order; what Stripe gave back before may be of no item yet."""
    asked = Counter[str]()
    for refund in order.refunds:
        if refund.is_requested:
            asked.update({one.order_item_id: one.amount for one in refund.items})
    shares = {}
    for item in order.items:
        shares[item.id] = min(amount, max(0, item.amount - item.refunded_amount - asked[item.id]))
        amount -= shares[item.id]
    return shares


async def _note(actor: Actor, act: str, order: OrderRecord, amount: int, reason: RefundReason) -> None:
    facts = {"amount": amount, "currency": order.currency, "reason": reason}
    await audit.note(actor, act, "order", order.number, after=facts)


async def make_requested(order_id: str, *, must: bool = False) -> None:
    """Ask Stripe for every refund of the order that is wanted and not made.

    With `must` a person waits for what paid the order to come back: raises RefundUnclear and RefundRefused,
    after all were asked for. Else the sweep comes again.
    """
    order = await repository.look(order_id)
    problem: RefundUnclear | RefundRefused | None = None
    for refund in await refund_repository.of_order(order_id):
        if not refund.is_requested:
            continue
        try:
            await _make(order, refund)
        except (RefundUnclear, RefundRefused) as error:
            log.warning("refund %s of order %s: %s", refund.id, order.number, error.code)
            if order.paid_payment is not None and refund.payment_id == order.paid_payment.id:
                problem = error
    if must and problem is not None:
        raise problem


async def _make(order: OrderRecord, refund: RefundRecord) -> None:
    payment = next(one for one in order.payments if one.id == refund.payment_id)
    assert payment.intent_id is not None, "it was paid"
    await release()
    try:
        await gateways().stripe.refund(
            refund_id=refund.id,
            tries=refund.tries,
            order_number=order.number,
            intent_id=payment.intent_id,
            amount=refund.amount,
            is_duplicate=refund.reason is RefundReason.PAID_TWICE,
        )
    except StripeUnavailable as error:
        if isinstance(error, StripeFailed):
            await in_transaction(refund_repository.count_try, refund.id, refund.tries)
        raise RefundUnclear(order.number) from error
    except StripeRefused as refusal:
        log.warning("refund of order %s refused: %s", order.number, refusal.reason)
        await in_transaction(_note_refusal, order, refund)
        await bring_into_line(payment.intent_id)  # perhaps it was refunded at Stripe meanwhile
        if await _is_given_back(order.number):
            return
        raise RefundRefused(order.number) from refusal
    await bring_into_line(payment.intent_id)


async def _note_refusal(order: OrderRecord, refund: RefundRecord) -> None:
    await refund_repository.refuse(refund.id, REFUSED)
    await _note(Actor.job("settlement"), "order.refund_refused", order, refund.amount, refund.reason)
    if refund.reason is RefundReason.PAID_TWICE:  # nobody waits for the answer: tell somebody
        await alerts.raise_alert(
            RefundFailed(amount=refund.amount, currency=refund.currency),
            f"refund:{refund.id}",
            order_number=order.number,
        )


async def _is_given_back(number: str) -> bool:
    order = await repository.get(number)
    return order is not None and not order.is_paid
