"""What Stripe tells: which events matter, and the one way in which webhook and sweep take them."""

from server.checkout import repository
from server.checkout.settlement import Outcome, settle
from server.clock import from_unix, now
from server.database.session import in_transaction
from server.integrations.stripe import EventFact

# What our settlement depends on. The Stripe endpoint should be subscribed to just these.
TYPES = [
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
]
CARRY_OUR_MARK = ("payment_intent.", "charge.refunded")


async def take(event: EventFact) -> Outcome:
    """Settle what the event is about. Raises what `settle` raises: then it must come again."""
    if event.type not in TYPES or event.intent_id is None:
        return Outcome.NOT_OURS
    if event.type.startswith(CARRY_OUR_MARK) and not event.is_marked_ours:
        return Outcome.NOT_OURS  # another shop on the same Stripe account; not worth a call
    outcome = await settle(event.intent_id, event)
    if outcome is Outcome.NOT_OURS:
        # A refund or dispute tells whose it is only when its intent is fetched: fetch it once.
        await in_transaction(
            lambda: repository.add_event(event.id, event.type, from_unix(event.created), now())
        )
    return outcome
