"""Stripe behind plain methods: what Playbill asks of it. What it believes of the answers: stripe_facts.py.

Sources: docs.stripe.com/api (version 2026-10-28.endive). Amounts are minor units as Stripe counts them.
Every call has a 10 s time-out and 2 retries; every method refuses to run while a database connection
is held, and raises StripeUnavailable when no answer came or Stripe failed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import stripe

from server.clock import from_unix
from server.database.session import forbid_held_connection
from server.errors import PlaybillError, Unavailable
from server.i18n import N_
from server.integrations import stripe_events
from server.integrations.stripe_events import WebhookRejected
from server.integrations.stripe_facts import (
    OURS,
    Charge,
    DisputeFact,
    EventFact,
    FraudWarning,
    IntentState,
    RefundFact,
    WebhookEndpoint,
)
from server.settings import Settings

API_VERSION = "2026-10-28.endive"
TIMEOUT_S = 10
RETRIES = 2
# Said to Stripe.js and to the intent alike, which have to agree. None of these leaves the page; Apple Pay and
# Google Pay ride on `card`. What else the account has enabled is not offered (promise 4).
PAYMENT_METHODS = ("card", "link")
MAX_TYPES = 20  # that one list of events may be asked for
SIGNED_WITHIN_S = 300
# No answer, no sensible answer, too many calls, or a key that is not accepted: nothing the buyer can mend.
UNAVAILABLE = (
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.RateLimitError,
    stripe.AuthenticationError,
    stripe.PermissionError,
)

log = logging.getLogger("playbill.stripe")

# No usage reports to Stripe, and no file that they would be kept in.
stripe.enable_telemetry = False


class StripeUnavailable(Unavailable):
    code = "payment_unavailable"
    message = N_("The payment service is not answering right now. Nothing was charged; please try again.")


class StripeLocked(StripeUnavailable):
    """Something else is being done to the same object right now: a confirmation, for example."""


class StripeFailed(StripeUnavailable):
    """Stripe answered 5xx: outcome unknown, and the answer stays under its idempotency key for a day."""


class StripeRefused(PlaybillError):
    """Stripe understood and said no; `reason` is its error code, for the log and for staff."""

    status = 409
    code = "payment_refused"
    message = N_("The payment service refused this.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoSuchIntent(StripeRefused):
    """The intent is unknown to this Stripe account."""


class StripeGateway:
    def __init__(self, settings: Settings) -> None:
        self._http = stripe.HTTPXClient(timeout=TIMEOUT_S)
        addresses = dict.fromkeys(("api", "files", "connect", "meter_events"), settings.stripe_api_url)
        self._client = stripe.StripeClient(
            settings.stripe_secret_key,
            stripe_version=API_VERSION,
            base_addresses=addresses,  # type: ignore[arg-type]
            http_client=self._http,
            max_network_retries=RETRIES,
        )
        self._secrets = settings.webhook_secrets
        self.livemode = settings.is_live

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def create_intent(
        self, *, order_number: str, attempt: int, tries: int, amount: int, currency: str, quote_digest: str
    ) -> IntentState:
        """The intent of an order's attempt to pay; asked again with the same facts, the same intent.

        `tries` counts the times that Stripe failed to answer: it keeps that answer under its key for a day.
        """
        intent = await self._call(
            self._client.v1.payment_intents.create_async,
            {
                "amount": amount,
                "currency": currency.lower(),
                "allowed_payment_method_types": list(PAYMENT_METHODS),
                "metadata": {
                    "order_number": order_number,
                    "app": OURS,
                    "attempt": str(attempt),
                    "quote": quote_digest,
                },
                "description": f"Playbill {order_number}",
            },
            {"idempotency_key": f"order-{order_number}-{attempt}-{tries}-{amount}{currency.lower()}"},
        )
        return _intent(intent)

    async def fetch_intent(self, intent_id: str) -> IntentState:
        """The intent alone: its status and client secret. Raises NoSuchIntent."""
        return _intent(await self._call(self._client.v1.payment_intents.retrieve_async, intent_id))

    async def fetch_whole(self, intent_id: str) -> IntentState:
        """The intent with all its charges, refunds and disputes. Raises NoSuchIntent."""
        of_intent = {"payment_intent": intent_id, "limit": 100}
        api = self._client.v1
        intent, charges, refunds, disputes = await asyncio.gather(
            self._call(api.payment_intents.retrieve_async, intent_id),
            self._call(api.charges.list_async, of_intent),
            self._call(api.refunds.list_async, of_intent),
            self._call(api.disputes.list_async, of_intent),
        )
        return _intent(intent, charges.data, refunds.data, disputes.data)

    async def cancel_intent(self, intent_id: str) -> bool:
        """True if it is canceled now; False if it can no longer be (it succeeded or is processing)."""
        try:
            intent = await self._call(self._client.v1.payment_intents.cancel_async, intent_id)
        except StripeRefused as refusal:
            if refusal.reason == "payment_intent_unexpected_state":
                return (await self.fetch_intent(intent_id)).status == "canceled"
            raise
        return bool(intent.status == "canceled")

    async def refund(
        self,
        *,
        refund_id: str,
        tries: int,
        order_number: str,
        intent_id: str,
        amount: int,
        is_duplicate: bool,
    ) -> None:
        """Give `amount` (minor units) back; asked again for the same `refund_id`, once.

        Raises StripeRefused (`charge_already_refunded`, `charge_disputed`, or an amount above what is left).
        """
        await self._call(
            self._client.v1.refunds.create_async,
            {
                "payment_intent": intent_id,
                "amount": amount,
                "reason": "duplicate" if is_duplicate else "requested_by_customer",
                "metadata": {"order_number": order_number, "app": OURS, "refund": refund_id},
            },
            {"idempotency_key": f"refund-{refund_id}-{tries}"},
        )

    async def events_since(self, created: int, types: Sequence[str]) -> list[EventFact]:
        """Events of these types created at `created` or later, oldest first."""
        found = []
        for start in range(0, len(types), MAX_TYPES):
            query = {"types": list(types[start : start + MAX_TYPES]), "created": {"gte": created}}
            events = self._list(self._client.v1.events.list_async, query)
            found += [stripe_events.read(event.to_dict()) async for event in events]
        found.reverse()  # of two in the same second, too, the earlier one stands first
        found.sort(key=lambda event: event.created)
        return found

    async def fetch_fraud_warning(self, warning_id: str) -> FraudWarning:
        """What a card's network has told of a payment; raises StripeRefused for one that is not there."""
        warnings = self._client.v1.radar.early_fraud_warnings
        warning = await self._call(warnings.retrieve_async, warning_id)
        return FraudWarning(warning.id, warning.fraud_type)

    async def webhook_endpoints(self) -> list[WebhookEndpoint]:
        """Where Stripe posts events, and which."""
        listed = self._list(self._client.v1.webhook_endpoints.list_async, {})
        return [
            WebhookEndpoint(one.url, one.status == "enabled", frozenset(one.enabled_events))
            async for one in listed
        ]

    async def _list(self, method: Any, query: dict[str, Any]) -> AsyncIterator[Any]:
        """All that one of Stripe's lists holds, newest first, page by page."""
        page = query | {"limit": 100}
        while True:
            listed = await self._call(method, page)
            for one in listed.data:
                yield one
            if not listed.has_more:
                return
            page["starting_after"] = listed.data[-1].id

    async def newest_event_created(self) -> int:
        """Stripe's time of its newest event, 0 if there is none."""
        listed = await self._call(self._client.v1.events.list_async, {"limit": 1})
        return listed.data[0].created if listed.data else 0

    def verify_event(self, body: bytes, signature: str | None) -> EventFact:
        """Check the signature over the received bytes with each of our secrets; raises WebhookRejected."""
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(body, signature, secret, SIGNED_WITHIN_S)
            except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError):
                continue  # TypeError: a signature in other letters than ASCII
            return stripe_events.read_body(body)
        raise WebhookRejected

    async def _call(self, method: Any, *arguments: Any) -> Any:
        forbid_held_connection()
        try:
            return await method(*arguments)
        except UNAVAILABLE as error:
            log.warning("Stripe: %s %s %s", type(error).__name__, error.http_status, error.user_message)
            raise _unavailable(error) from error
        except stripe.StripeError as error:
            code = error.code or (error.error.code if error.error else None) or type(error).__name__
            raise (NoSuchIntent if code == "resource_missing" else StripeRefused)(code) from error


def _unavailable(error: stripe.StripeError) -> StripeUnavailable:
    if error.error is not None and error.error.code == "lock_timeout":
        return StripeLocked()
    failed = error.http_status is not None and error.http_status >= 500
    return StripeFailed() if failed else StripeUnavailable()


def _intent(
    intent: Any,
    charges: list[Any] | None = None,
    refunds: list[Any] | None = None,
    disputes: list[Any] | None = None,
) -> IntentState:
    return IntentState(
        id=intent.id,
        status=intent.status,
        amount=intent.amount,
        amount_received=intent.amount_received or 0,
        currency=intent.currency.upper(),
        customer=intent.customer if isinstance(intent.customer, str | None) else intent.customer.id,
        metadata=intent.metadata.to_dict() if intent.metadata else {},
        client_secret=intent.client_secret or "",
        charges=tuple(_charge(one) for one in charges or ()),
        refunds=tuple(
            RefundFact(
                id=one.id,
                amount=one.amount,
                currency=one.currency.upper(),
                status=one.status or "pending",
                created_at=from_unix(one.created),
                our_id=getattr(one.metadata, "refund", None) if one.metadata else None,
            )
            for one in refunds or ()
        ),
        disputes=tuple(
            DisputeFact(
                one.id, one.amount, one.currency.upper(), one.status, one.reason, from_unix(one.created)
            )
            for one in disputes or ()
        ),
    )


def _charge(charge: Any) -> Charge:
    details = charge.payment_method_details
    card = getattr(details, "card", None) if details else None
    return Charge(charge.id, charge.status, card.brand if card else None, card.last4 if card else None)
