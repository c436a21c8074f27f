"""Stripe's events that orders depend on: of their intents, and of warnings that a payment is fraud."""

from functools import partial

from server.alerts import service as alerts
from server.alerts.records import FraudWarned
from server.checkout import repository
from server.checkout.following import settle
from server.checkout.records import OrderRecord
from server.database.session import in_transaction, release
from server.integrations.gateways import gateways
from server.integrations.stripe_facts import EventFact, FraudWarning
from server.stripe_events import service as stripe_events
from server.stripe_events.service import Outcome, Subscription

CARRY_OUR_MARK = ("payment_intent.", "charge.refunded")


async def settle_told(event: EventFact) -> Outcome:
    if event.intent_id is None:
        return Outcome.NOT_OURS
    if event.type.startswith(CARRY_OUR_MARK) and not event.is_marked_ours:
        return Outcome.NOT_OURS  # another shop on the same Stripe account; not worth a call
    outcome = await settle(event.intent_id, event)
    if outcome is Outcome.NOT_OURS:
        # A refund or dispute tells whose it is only when its intent is fetched: fetch it once.
        await in_transaction(stripe_events.note, event)
    return outcome


async def tell_of_fraud(event: EventFact) -> Outcome:
    """Access stays, for the warning may be wrong: staff decide, while a refund still spares a dispute."""
    if event.intent_id is None or event.object_id is None:
        return Outcome.NOT_OURS
    order = await repository.get_by_intent(event.intent_id)
    if order is None:
        return Outcome.NOT_OURS
    await release()
    warning = await gateways().stripe.fetch_fraud_warning(event.object_id)
    return await stripe_events.once(event, partial(_warn_of_fraud, order, warning))


async def _warn_of_fraud(order: OrderRecord, warning: FraudWarning) -> None:
    await alerts.raise_alert(
        FraudWarned(amount=order.amount, currency=order.currency, reason=warning.fraud_type),
        f"fraud:{warning.id}",
        order_number=order.number,
    )


SUBSCRIPTIONS = (
    Subscription(
        (
            "payment_intent.succeeded",
            "payment_intent.processing",
            "payment_intent.payment_failed",
            "payment_intent.canceled",
            "charge.refunded",
            "refund.created",
            "refund.updated",
            "refund.failed",
            "charge.dispute.created",
            "charge.dispute.updated",
            "charge.dispute.closed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
        ),
        settle_told,
    ),
    Subscription(("radar.early_fraud_warning.created",), tell_of_fraud),
)
