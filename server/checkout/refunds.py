"""Giving money back: wanted here first, then asked of Stripe, then seen there.

What is wanted is committed before Stripe is asked, and the idempotency key is made of its id: a crash, a
second press or a lost answer gives back once, and the sweep goes on with what has no answer yet.
"""

import logging
from collections.abc import Sequence

from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.audit import service as audit
from server.audit.records import Actor
from server.checkout import refund_repository, repository
from server.checkout.errors import NothingToRefund, RefundRefused, RefundUnclear
from server.checkout.models import REFUSED, RefundReason
from server.checkout.records import OrderRecord, RefundRecord
from server.checkout.settlement import settle
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
        order_id, left = await in_transaction(_want_rest, number, actor)
        try:
            return await make_requested(order_id, must=True)
        except RefundRefused:
            # Perhaps somebody gave a part back at Stripe meanwhile: then the rest is wanted.
            if await _left_of(order_id) == left:
                raise
    raise RefundUnclear(number)


async def _want_rest(number: str, actor: Actor) -> tuple[str, int]:
    """The order's id, and how much of it was left to give back."""
    order = await repository.lock_by_number(number)
    if order is None:
        raise NotFound
    known = await refund_repository.of_order(order.id)
    left = _left(order, known)
    if any(one.is_requested for one in known):
        return order.id, left  # somebody has asked already: whoever presses again waits for the same answer
    payment = order.paid_payment
    if not order.is_paid or payment is None or left <= 0:
        raise NothingToRefund(number)
    await refund_repository.request(
        order.id,
        payment.id,
        reason=RefundReason.STAFF,
        amount=left,
        currency=order.currency,
        items=_spread(left, order),
        at=now(),
    )
    before, after = order.amount - left, order.amount
    facts = {"refunded": after, "currency": order.currency}
    await audit.note(actor, "order.refund", "order", number, before={"refunded": before}, after=facts)
    return order.id, left


async def _left_of(order_id: str) -> int:
    return _left(await repository.look(order_id), await refund_repository.of_order(order_id))


def _left(order: OrderRecord, refunds: Sequence[RefundRecord]) -> int:
    """Of what paid the order: what has not been given back."""
    payment = order.paid_payment
    return order.amount - sum(
        one.amount for one in refunds if one.counts and payment and one.payment_id == payment.id
    )


def _spread(amount: int, order: OrderRecord) -> dict[str, int]:
    """All that is left, over the items in their order; what Stripe gave back before may be of no item yet."""
    shares = {}
    for item in order.items:
        shares[item.id] = min(amount, item.amount - item.refunded_amount)
        amount -= shares[item.id]
    return shares


async def make_requested(order_id: str, *, must: bool = False) -> None:
    """Ask Stripe for every refund of the order that is wanted and not made.

    With `must` a person waits for it: raises RefundUnclear and RefundRefused. Else the sweep comes again.
    """
    order = await repository.look(order_id)
    for refund in await refund_repository.of_order(order_id):
        if not refund.is_requested:
            continue
        try:
            await _make(order, refund)
        except (RefundUnclear, RefundRefused) as error:
            if must:
                raise
            log.warning("refund %s of order %s: %s", refund.id, order.number, error.code)


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
        await settle(payment.intent_id)  # perhaps it was refunded at Stripe meanwhile
        if await _is_given_back(order.number):
            return
        raise RefundRefused(order.number) from refusal
    await settle(payment.intent_id)


async def _note_refusal(order: OrderRecord, refund: RefundRecord) -> None:
    await refund_repository.refuse(refund.id, REFUSED)
    if refund.reason is RefundReason.PAID_TWICE:  # nobody waits for the answer: tell somebody
        await alerts.raise_alert(
            AlertKind.REFUND_FAILED,
            f"refund:{refund.id}",
            order_number=order.number,
            amount=refund.amount,
            currency=refund.currency,
        )


async def _is_given_back(number: str) -> bool:
    order = await repository.get(number)
    return order is not None and not order.is_paid
