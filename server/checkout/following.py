"""Settling, and what a settlement asks for next: webhook, poll, press and sweep all come this way."""

from server.checkout import card_testing, refunds
from server.checkout.settlement import bring_into_line
from server.integrations.stripe_facts import EventFact
from server.stripe_events.service import Outcome


async def settle(intent_id: str, event: EventFact | None = None) -> Outcome:
    """Bring the intent's order into line; stop who tries out cards; give back what was paid twice.

    A crash in between loses nothing: the sweep looks again after open payments and requested refunds.
    Raises StripeUnavailable, UnknownOrder, SettlementBusy. Must not be called inside a transaction.
    """
    settlement = await bring_into_line(intent_id, event)
    if settlement.order_id is None:
        return settlement.outcome
    if settlement.declines and await card_testing.stop(settlement.order_id, intent_id, settlement.declines):
        await bring_into_line(intent_id)
    if settlement.has_refunds_to_make:
        await refunds.make_requested(settlement.order_id)
    return settlement.outcome
