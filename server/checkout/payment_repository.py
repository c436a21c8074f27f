"""The only SQL on payments."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, or_, select, update

from server.checkout.models import Order, Payment, PaymentStatus
from server.checkout.records import OrderRecord, PaymentRecord
from server.database.session import current_session, require_transaction
from server.database.write import changed
from server.tokens import new_id

OPEN = (PaymentStatus.CREATED, PaymentStatus.PROCESSING, PaymentStatus.FAILED)


async def add(order: OrderRecord, attempt: int, at: datetime, check_at: datetime) -> None:
    """The order's open payment; the caller holds the order's lock and has seen that there is none."""
    require_transaction()
    current_session().add(
        Payment(
            id=new_id(),
            order_id=order.id,
            attempt=attempt,
            amount=order.amount,
            currency=order.currency,
            status=PaymentStatus.CREATED,
            next_check_at=check_at,
            looked_at=at,
            created_at=at,
        )
    )
    await current_session().flush()


async def record_intent(payment_id: str, intent_id: str) -> None:
    await changed(update(Payment).where(Payment.id == payment_id).values(intent_id=intent_id))


async def mark_secret_out(payment_id: str, at: datetime, check_at: datetime) -> None:
    """From now on somebody can pay; look after the payment closely again."""
    await changed(
        update(Payment)
        .where(Payment.id == payment_id)
        .values(secret_out_at=func.coalesce(Payment.secret_out_at, at), checks=0, next_check_at=check_at)
    )


async def count_try(payment_id: str, tries: int) -> None:
    """The next try needs another idempotency key; of several that failed with this one, one counts."""
    await changed(
        update(Payment).where(Payment.id == payment_id, Payment.tries == tries).values(tries=tries + 1)
    )


async def tell(
    payment_id: str,
    *,
    intent_id: str,
    status: PaymentStatus,
    charge_id: str | None,
    card_brand: str | None,
    card_last4: str | None,
    declines: int,
    last_declined_at: datetime | None,
    succeeded_at: datetime | None,
    looked_at: datetime,
) -> None:
    """What Stripe says of it."""
    await changed(
        update(Payment)
        .where(Payment.id == payment_id)
        .values(
            intent_id=intent_id,
            status=status,
            charge_id=charge_id,
            card_brand=card_brand,
            card_last4=card_last4,
            declines=declines,
            last_declined_at=last_declined_at,
            succeeded_at=succeeded_at,
            looked_at=looked_at,
        )
    )


async def cancel(payment_id: str, seen_intent_id: str | None) -> None:
    """End a payment that Stripe knows nothing of, if it still is what the caller has seen."""
    await changed(
        update(Payment)
        .where(
            Payment.id == payment_id,
            Payment.status.in_(OPEN),
            Payment.intent_id.is_(None) if seen_intent_id is None else Payment.intent_id == seen_intent_id,
        )
        .values(status=PaymentStatus.CANCELED)
    )


async def claim_look(payment_id: str, at: datetime, pause: timedelta) -> bool:
    """Whether the caller is the one who looks again at a payment that was last looked at a pause ago.

    What was looked at a little later than `at` was so by another poll of this moment; much later, by a clock
    that was ahead.
    """
    require_transaction()
    is_due = or_(Payment.looked_at <= at - pause, Payment.looked_at >= at + pause)
    unseen = update(Payment).where(Payment.id == payment_id, is_due)
    return await changed(unseen.values(looked_at=at)) == 1


async def list_due(at: datetime, until: datetime, limit: int) -> list[PaymentRecord]:
    """Open payments due by now; or only after `until`, which no clock that is right would have written."""
    rows = await current_session().scalars(
        select(Payment)
        .where(
            Payment.status.in_(OPEN),
            or_(Payment.next_check_at <= at, Payment.next_check_at > until),
        )
        .order_by(Payment.next_check_at, Payment.id)
        .limit(limit)
    )
    return [PaymentRecord.of(row) for row in rows]


async def check_later(payment_id: str, checks: int, at: datetime) -> None:
    await changed(update(Payment).where(Payment.id == payment_id).values(checks=checks, next_check_at=at))


async def recent_declines(viewer_id: str, ip_mac: str, since: datetime) -> tuple[int, int]:
    """Declined charges on payments declined since then, by this viewer and from this network.

    All of such a payment's, the older ones too: Stripe tells how many there were, and a payment is ended at
    its tenth. So a new decline may count for up to ten: too many for whoever tries out cards on and on.
    """

    def of(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, Payment.declines), else_=0)), 0)

    found = await current_session().execute(
        select(of(Order.viewer_id == viewer_id), of(Order.ip_mac == ip_mac))
        .select_from(Payment)
        .join(Order)
        .where(or_(Order.viewer_id == viewer_id, Order.ip_mac == ip_mac), Payment.last_declined_at >= since)
    )
    by_viewer, by_ip = found.one()
    return int(by_viewer), int(by_ip)
