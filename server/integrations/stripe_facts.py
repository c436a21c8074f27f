"""What Playbill believes of Stripe's answers and events. Without the SDK: whoever reads facts loads none.

Amounts are minor units as Stripe counts them, currencies upper case, moments Stripe's own.
"""

from dataclasses import dataclass, field
from datetime import datetime

OURS = "playbill"  # the `app` in the metadata of what this site made at Stripe


@dataclass(frozen=True, slots=True)
class Charge:
    id: str
    status: str  # succeeded, pending, failed
    brand: str | None
    last4: str | None


# A refund of these gives nothing back; it can fail after it succeeded.
REFUND_ENDED = frozenset(["failed", "canceled"])
# A chargeback under way. An inquiry (`warning_…`) takes no money and suspends nothing.
DISPUTE_OPEN = frozenset(["needs_response", "under_review", "appeal_needs_response", "appeal_under_review"])
DISPUTE_LOST = "lost"


@dataclass(frozen=True, slots=True)
class RefundFact:
    id: str
    amount: int
    currency: str
    status: str  # pending, requires_action, succeeded, failed, canceled
    created_at: datetime
    our_id: str | None = None  # what we asked for it as; None if it was made at Stripe

    @property
    def counts(self) -> bool:
        """Whether the money is back or on its way."""
        return self.status not in REFUND_ENDED


@dataclass(frozen=True, slots=True)
class DisputeFact:
    id: str
    amount: int
    currency: str
    status: str
    reason: str
    created_at: datetime

    @property
    def suspends(self) -> bool:
        return self.status in DISPUTE_OPEN

    @property
    def is_lost(self) -> bool:
        return self.status == DISPUTE_LOST


@dataclass(frozen=True, slots=True)
class IntentState:
    """A PaymentIntent as fetched just now, with everything that happened to its charges."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str  # upper case
    customer: str | None
    metadata: dict[str, str]
    client_secret: str = field(repr=False)
    charges: tuple[Charge, ...] = ()
    refunds: tuple[RefundFact, ...] = ()
    disputes: tuple[DisputeFact, ...] = ()

    @property
    def order_number(self) -> str | None:
        """The order that it was made for; None if it is not ours."""
        return self.metadata.get("order_number") if self.metadata.get("app") == OURS else None

    @property
    def attempt(self) -> int:
        """Which of its order's payments it was made for, from 1."""
        told = self.metadata.get("attempt", "")
        return int(told) if told.isascii() and told.isdigit() else 1

    @property
    def quote_digest(self) -> str | None:
        """Of the quote that it charges; None on intents older than quotes."""
        return self.metadata.get("quote")

    @property
    def paid_charge(self) -> Charge | None:
        return next((charge for charge in self.charges if charge.status == "succeeded"), None)

    @property
    def declines(self) -> int:
        return sum(charge.status == "failed" for charge in self.charges)


@dataclass(frozen=True, slots=True)
class FraudWarning:
    id: str
    fraud_type: str  # made_with_stolen_card, unauthorized_use_of_card, …


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    url: str
    is_enabled: bool
    types: frozenset[str]  # or "*" for all


@dataclass(frozen=True, slots=True)
class EventFact:
    """What is taken from an event: what it is about, and nothing that it says of that."""

    id: str
    type: str
    created: int  # unix seconds, Stripe's clock
    livemode: bool
    intent_id: str | None
    is_marked_ours: bool
    object_id: str | None = None  # of the thing itself: an intent, a refund, a payout
