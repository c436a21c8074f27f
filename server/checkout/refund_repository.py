"""The only SQL on refunds and disputes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from server.checkout.models import (
    REQUESTED,
    Dispute,
    Refund,
    RefundItem,
    RefundReason,
)
from server.checkout.records import DisputeRecord, RefundRecord
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once, upsert
from server.tokens import new_id


async def of_order(order_id: str) -> list[RefundRecord]:
    """Oldest first, with the items that they were assigned to."""
    rows = await current_session().scalars(
        select(Refund)
        .options(selectinload(Refund.items))
        .where(Refund.order_id == order_id)
        .order_by(Refund.created_at, Refund.id)
    )
    return [RefundRecord.of(row) for row in rows]


async def list_requested(before: datetime, limit: int) -> list[str]:
    """Ids of orders with a refund that was wanted before then and is still without an answer."""
    rows = await current_session().scalars(
        select(Refund.order_id)
        .where(Refund.status == REQUESTED, Refund.created_at <= before)
        .group_by(Refund.order_id)
        .order_by(func.min(Refund.tries), func.min(Refund.created_at))  # none that fails holds up the others
        .limit(limit)
    )
    return list(rows)


async def request(
    order_id: str,
    payment_id: str,
    *,
    reason: RefundReason,
    amount: int,
    currency: str,
    items: Mapping[str, int],
    at: datetime,
    once_key: str | None = None,
) -> bool:
    """Write down that this is to be given back; False if that was wanted once before."""
    require_transaction()
    refund_id = new_id()
    is_new = await insert_once(
        Refund,
        {
            "id": refund_id,
            "order_id": order_id,
            "payment_id": payment_id,
            "reason": reason,
            "once_key": once_key,
            "amount": amount,
            "currency": currency,
            "status": REQUESTED,
            "created_at": at,
        },
    )
    if is_new:
        await assign(refund_id, items)
    return is_new


async def add_found(
    order_id: str,
    payment_id: str,
    *,
    stripe_id: str,
    amount: int,
    currency: str,
    status: str,
    created_at: datetime,
) -> str:
    """A refund that somebody made at Stripe; returns its id. The caller holds the order's lock."""
    require_transaction()
    refund = Refund(
        id=new_id(),
        stripe_id=stripe_id,
        order_id=order_id,
        payment_id=payment_id,
        reason=RefundReason.STRIPE,
        amount=amount,
        currency=currency,
        status=status,
        created_at=created_at,
    )
    current_session().add(refund)
    await current_session().flush()
    return refund.id


async def tell(refund_id: str, *, stripe_id: str, status: str) -> None:
    """What Stripe says of a refund."""
    await changed(update(Refund).where(Refund.id == refund_id).values(stripe_id=stripe_id, status=status))


async def refuse(refund_id: str, status: str) -> None:
    """Stripe will not make a requested refund."""
    require_transaction()
    still = update(Refund).where(Refund.id == refund_id, Refund.status == REQUESTED)
    await current_session().execute(still.values(status=status))


async def count_try(refund_id: str, tries: int) -> None:
    """The next try needs another idempotency key; of several that failed with this one, one counts."""
    await changed(update(Refund).where(Refund.id == refund_id, Refund.tries == tries).values(tries=tries + 1))


async def assign(refund_id: str, items: Mapping[str, int]) -> None:
    """Say which items a refund belongs to (order item id → minor units)."""
    require_transaction()
    for item_id, amount in items.items():
        if amount:
            await upsert(RefundItem, {"refund_id": refund_id, "order_item_id": item_id}, {"amount": amount})


async def disputes_of(order_id: str) -> list[DisputeRecord]:
    rows = await current_session().scalars(
        select(Dispute).where(Dispute.order_id == order_id).order_by(Dispute.created_at, Dispute.id)
    )
    return [DisputeRecord.of(row) for row in rows]


async def keep_dispute(
    stripe_id: str,
    *,
    order_id: str,
    payment_id: str,
    amount: int,
    currency: str,
    status: str,
    reason: str,
    created_at: datetime,
) -> None:
    require_transaction()
    await upsert(
        Dispute,
        {"stripe_id": stripe_id},
        {"amount": amount, "status": status, "reason": reason},
        {
            "id": new_id(),
            "order_id": order_id,
            "payment_id": payment_id,
            "currency": currency,
            "created_at": created_at,
        },
    )
