"""Ending payments that nobody has paid: at Stripe first, and here only what is surely ended there."""

import logging
from collections.abc import Iterable

from server.checkout import payment_repository, repository
from server.checkout.errors import OrderInProgress
from server.checkout.following import settle
from server.checkout.records import OrderRecord, PaymentRecord
from server.database.session import in_transaction, release
from server.errors import PlaybillError
from server.integrations.gateways import gateways
from server.integrations.stripe import NoSuchIntent, StripeLocked
from server.integrations.stripe_facts import IntentState

log = logging.getLogger("playbill.checkout")


async def end_payment(payment: PaymentRecord) -> bool:
    """Cancel an open payment, and bring its order into line; False if it can no longer be canceled.

    Raises StripeUnavailable (StripeLocked while it is being confirmed) and what `settle` raises.
    """
    if payment.intent_id is not None:
        await release()
        try:
            canceled = await gateways().stripe.cancel_intent(payment.intent_id)
        except NoSuchIntent:
            log.warning("payment %s: its intent is unknown to Stripe", payment.id)
        else:
            await settle(payment.intent_id)
            return canceled
    await in_transaction(payment_repository.cancel, payment.id, payment.intent_id)
    return True


async def close(payments: Iterable[PaymentRecord]) -> None:
    """End payments of the same buyer; one that is paid is settled. Raises OrderInProgress."""
    for payment in payments:
        try:
            ended = await end_payment(payment)
        except StripeLocked as error:
            raise OrderInProgress from error  # it is being confirmed
        if not ended:
            order = await repository.look(payment.order_id)
            if order.is_pending:
                raise OrderInProgress(order.number)


async def withdraw(order: OrderRecord, intent: IntentState) -> None:
    """End an intent whose secret is not handed out. Whatever Stripe says now, the buyer gets their answer."""
    await release()
    try:
        canceled = await gateways().stripe.cancel_intent(intent.id)
        if not canceled:
            await settle(intent.id)
    except PlaybillError as error:
        log.warning("intent %s of order %s is left open: %s", intent.id, order.number, type(error).__name__)
