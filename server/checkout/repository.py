"""The only SQL on orders and payments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select, update
from sqlalchemy.orm import aliased, joinedload, selectinload

from server.access.models import Grant
from server.checkout.models import (
    Dispute,
    Order,
    OrderItem,
    OrderKey,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    StripeEvent,
    SweepState,
)
from server.checkout.records import OrderRecord, PaymentRecord
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once, upsert

OPEN_PAYMENTS = (PaymentStatus.CREATED, PaymentStatus.PROCESSING, PaymentStatus.FAILED)
PAID = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)


@dataclass(frozen=True, slots=True)
class OrderVersion:
    order_id: str
    version: int
    has_event: bool = False  # the event that was asked about has been handled


def _with_parts() -> Select[Order]:
    """An order with its items and payments, in one statement: both are few."""
    return select(Order).options(joinedload(Order.items), joinedload(Order.payments))


def _with_everything() -> Select[Order]:
    return _with_parts().options(selectinload(Order.refunds), selectinload(Order.disputes))


async def _one(statement: Select[Order]) -> OrderRecord | None:
    result = await current_session().execute(statement)
    row = result.unique().scalar_one_or_none()
    return OrderRecord.of(row) if row else None


async def get(number: str) -> OrderRecord | None:
    return await _one(_with_everything().where(Order.number == number))


async def get_by_intent(intent_id: str) -> OrderRecord | None:
    return await _one(_with_parts().where(Order.payments.any(Payment.intent_id == intent_id)))


async def get_open(open_key: str) -> OrderRecord | None:
    require_transaction()
    return await _one(_with_parts().where(Order.open_key == open_key).with_for_update())


async def lock(order_id: str) -> OrderRecord | None:
    require_transaction()
    return await _one(_with_parts().where(Order.id == order_id).with_for_update())


async def lock_with_paid(order_id: str) -> tuple[OrderRecord, list[OrderRecord]]:
    """An order, and the paid ones of the same address: two that are paid at once must see each other."""
    require_transaction()
    other = aliased(Order)
    address = select(other.email_key).where(other.id == order_id).scalar_subquery()
    rows = await current_session().execute(
        _with_parts()
        .where(Order.email_key == address, or_(Order.id == order_id, Order.status.in_(PAID)))
        .order_by(Order.id)
        .with_for_update()
    )
    orders = [OrderRecord.of(row) for row in rows.unique().scalars()]
    order = next(one for one in orders if one.id == order_id)  # orders are never deleted
    return order, [one for one in orders if one is not order]


async def version_by_intent(intent_id: str, event_id: str = "") -> OrderVersion | None:
    return await _version(
        Order.id.in_(select(Payment.order_id).where(Payment.intent_id == intent_id)), event_id
    )


async def version_by_number(number: str) -> OrderVersion | None:
    return await _version(Order.number == number)


async def version_of(order_id: str) -> OrderVersion | None:
    return await _version(Order.id == order_id)


async def _version(condition: ColumnElement[bool], event_id: str = "") -> OrderVersion | None:
    found = await current_session().execute(
        select(Order.id, Order.version, exists().where(StripeEvent.id == event_id)).where(condition)
    )
    row = found.one_or_none()
    return OrderVersion(*row) if row else None


async def add_order_key(order_key_id: str, at: datetime) -> None:
    await insert_once(OrderKey, {"id": order_key_id, "created_at": at})


async def add_order(
    order: Mapping[str, Any], items: Sequence[Mapping[str, Any]], payment: Mapping[str, Any]
) -> bool:
    """False if another tab or worker has just made the open order of this buyer and course."""
    require_transaction()
    if not await insert_once(Order, order):
        return False
    session = current_session()
    session.add_all([*(OrderItem(**item) for item in items), Payment(**payment)])
    await session.flush()
    return True


async def change_order(order_id: str, **values: Any) -> None:
    await changed(update(Order).where(Order.id == order_id).values(**values))


async def readdress(order_id: str, **values: Any) -> bool:
    """Change whom a pending order is of; False once it is paid, for its receipt is on its way."""
    pending = update(Order).where(Order.id == order_id, Order.status == OrderStatus.PENDING)
    return await changed(pending.values(**values)) == 1


async def change_item(item_id: str, **values: Any) -> None:
    await changed(update(OrderItem).where(OrderItem.id == item_id).values(**values))


async def change_payment(payment_id: str, **values: Any) -> None:
    await changed(update(Payment).where(Payment.id == payment_id).values(**values))


async def keep_refund(stripe_id: str, values: Mapping[str, Any], only_new: Mapping[str, Any]) -> None:
    await upsert(Refund, {"stripe_id": stripe_id}, values, only_new)


async def change_refunds(order_id: str, **values: Any) -> None:
    await changed(update(Refund).where(Refund.order_id == order_id).values(**values))


async def keep_dispute(stripe_id: str, values: Mapping[str, Any], only_new: Mapping[str, Any]) -> None:
    await upsert(Dispute, {"stripe_id": stripe_id}, values, only_new)


async def add_event(event_id: str, kind: str, created_at: datetime, handled_at: datetime) -> bool:
    """False if this event has been handled before."""
    return await insert_once(
        StripeEvent, {"id": event_id, "type": kind, "created_at": created_at, "handled_at": handled_at}
    )


async def known_events(event_ids: Sequence[str]) -> set[str]:
    return set(await current_session().scalars(select(StripeEvent.id).where(StripeEvent.id.in_(event_ids))))


async def list_due_payments(at: datetime, until: datetime, limit: int) -> list[PaymentRecord]:
    """Open payments due by now; or only after `until`, which no clock that is right would have written."""
    rows = await current_session().scalars(
        select(Payment)
        .where(
            Payment.status.in_(OPEN_PAYMENTS),
            or_(Payment.next_check_at <= at, Payment.next_check_at > until),
        )
        .order_by(Payment.next_check_at, Payment.id)
        .limit(limit)
    )
    return [PaymentRecord.of(row) for row in rows]


async def list_unclaimed(email_key: str) -> list[OrderRecord]:
    """Settled guest orders made with this address that still belong to a browser, locked."""
    require_transaction()
    rows = await current_session().execute(
        _with_parts()
        .where(
            Order.email_key == email_key,
            Order.viewer_id == Order.order_key_id,
            Order.status.in_((*PAID, OrderStatus.REFUNDED)),
        )
        .order_by(Order.created_at, Order.id)
        .with_for_update()
    )
    return [OrderRecord.of(row) for row in rows.unique().scalars()]


async def list_rivals(viewer_ids: Sequence[str], course_id: str, open_key: str) -> list[OrderRecord]:
    """Pending orders of these viewers for the same course, other than the one of this key."""
    rows = await current_session().execute(
        _with_parts().where(
            Order.viewer_id.in_(viewer_ids),
            Order.status == OrderStatus.PENDING,
            or_(Order.open_key.is_(None), Order.open_key != open_key),
            Order.items.any(OrderItem.course_id == course_id),
        )
    )
    return [OrderRecord.of(row) for row in rows.unique().scalars()]


async def recent_declines(viewer_id: str, ip_mac: str, since: datetime) -> tuple[int, int]:
    """Declined charges on payments tried since then, by this viewer and from this network."""

    def of(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, Payment.declines), else_=0)), 0)

    found = await current_session().execute(
        select(of(Order.viewer_id == viewer_id), of(Order.ip_mac == ip_mac))
        .select_from(Payment)
        .join(Order)
        .where(or_(Order.viewer_id == viewer_id, Order.ip_mac == ip_mac), Payment.updated_at >= since)
    )
    by_viewer, by_ip = found.one()
    return int(by_viewer), int(by_ip)


async def claimed_order_of(order_key_id: str, course_id: str) -> str | None:
    """The number of a paid order of this course that this browser made and an account holds now."""
    return await _paid_order(course_id, Order.order_key_id == order_key_id, Order.viewer_id != order_key_id)


async def unclaimed_order_of(email_key: str, course_id: str) -> str | None:
    """The number of a paid order of this course that a guest made with this address; nobody claimed it."""
    return await _paid_order(course_id, Order.email_key == email_key, Order.viewer_id == Order.order_key_id)


async def _paid_order(course_id: str, *conditions: ColumnElement[bool]) -> str | None:
    return await current_session().scalar(
        select(Order.number)
        .join(OrderItem, OrderItem.order_id == Order.id)
        .where(
            *conditions,
            Order.status.in_(PAID),
            OrderItem.course_id == course_id,
            OrderItem.refunded_amount < OrderItem.amount,
        )
        .limit(1)
    )


async def claim_look(payment_id: str, before: datetime, at: datetime) -> bool:
    """Whether the caller is the one who looks again at a payment last looked at before then."""
    is_due = or_(Payment.updated_at <= before, Payment.updated_at > at)  # a clock may have been ahead
    unseen = update(Payment).where(Payment.id == payment_id, is_due)
    return await changed(unseen.values(updated_at=at)) == 1


async def list_of_viewers(viewer_ids: Sequence[str]) -> list[OrderRecord]:
    rows = await current_session().execute(
        _with_parts()
        .where(
            Order.viewer_id.in_(viewer_ids),
            Order.status.not_in((OrderStatus.PENDING, OrderStatus.CANCELED)),
        )
        .order_by(Order.created_at.desc(), Order.id.desc())
    )
    return [OrderRecord.of(row) for row in rows.unique().scalars()]


async def list_page(
    *, status: OrderStatus | None, number_or_email: str, email_key: str, offset: int, limit: int
) -> tuple[list[OrderRecord], int]:
    conditions: list[Any] = []
    if status is not None:
        conditions.append(Order.status == status)
    if number_or_email:
        conditions.append(
            or_(
                Order.number == number_or_email.upper(),
                Order.email_key.startswith(email_key, autoescape=True),
            )
        )
    total = await current_session().scalar(select(func.count()).select_from(Order).where(*conditions)) or 0
    rows = await current_session().execute(
        select(Order)
        .options(selectinload(Order.items), selectinload(Order.payments))
        .where(*conditions)
        .order_by(Order.created_at.desc(), Order.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [OrderRecord.of(row) for row in rows.scalars()], total


async def count_paid_without_access() -> int:
    """Paid, unrefunded order items for which no grant was ever made."""
    statement = (
        select(func.count())
        .select_from(OrderItem)
        .join(Order, Order.id == OrderItem.order_id)
        .where(
            Order.status.in_(PAID),
            OrderItem.refunded_amount < OrderItem.amount,
            ~exists().where(Grant.order_item_id == OrderItem.id),
        )
    )
    return await current_session().scalar(statement) or 0


async def list_sales(start: datetime, end: datetime) -> list[tuple[str, int, int]]:
    """(currency, orders, amount after refunds) of what was paid in a span of time."""
    rows = await current_session().execute(
        select(
            Order.currency,
            func.count(func.distinct(Order.id)),
            func.coalesce(func.sum(OrderItem.amount - OrderItem.refunded_amount), 0),
        )
        .join(OrderItem, OrderItem.order_id == Order.id)
        .where(Order.paid_at >= start, Order.paid_at < end)
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    return [(currency, count, int(amount)) for currency, count, amount in rows]


async def sold_per_course() -> dict[str, int]:
    rows = await current_session().execute(
        select(OrderItem.course_id, func.count())
        .join(Order, Order.id == OrderItem.order_id)
        .where(Order.status.in_(PAID))
        .group_by(OrderItem.course_id)
    )
    return dict(rows.all())


async def record_intent(order_id: str, intent_id: str) -> str | None:
    """Keep the order's intent unless it has one; returns the one that counts, None on a canceled order."""
    order = await lock(order_id)
    assert order is not None, "orders are never deleted"
    if order.status is OrderStatus.CANCELED:
        return None
    if order.payment.intent_id is not None:
        return order.payment.intent_id
    await change_payment(order.payment.id, intent_id=intent_id)
    return intent_id


async def cancel_unpaid(order_id: str, seen_intent_id: str | None, at: datetime) -> None:
    """Cancel an order that Stripe knows nothing of, if it still is what the caller has seen."""
    order = await lock(order_id)
    if order is None or order.status is not OrderStatus.PENDING:
        return
    if order.payment.intent_id != seen_intent_id:
        return  # its intent was made meanwhile: somebody is paying
    await change_payment(order.payment.id, status=PaymentStatus.CANCELED, updated_at=at)
    await change_order(
        order_id, status=OrderStatus.CANCELED, open_key=None, canceled_at=at, version=order.version + 1
    )


# The sweep's one row

SWEEP = "sweep"


async def hold_sweep(holder: str, at: datetime, until: datetime, *, even_in_pause: bool) -> bool:
    """Give the sweep to `holder` if nobody has it; a pause that somebody left behind counts as theirs."""
    await insert_once(SweepState, {"name": SWEEP, "events_read_until": None})
    # Two terms ahead lies nobody's end, unless by a clock that was wrong; that must not stop the sweep.
    beyond = until + (until - at)
    free = [SweepState.held_until.is_(None), SweepState.held_until <= at, SweepState.held_until > beyond]
    if even_in_pause:
        free.append(SweepState.holder.is_(None))
    take = update(SweepState).where(SweepState.name == SWEEP, or_(*free))
    return await changed(take.values(holder=holder, held_until=until)) == 1


async def change_sweep(holder: str, /, **values: Any) -> None:
    """Change the row of a sweep that is still this holder's."""
    await changed(
        update(SweepState).where(SweepState.name == SWEEP, SweepState.holder == holder).values(**values)
    )


async def events_cursor() -> int | None:
    """Stripe's time (unix seconds) up to which its events have been taken; None: never read."""
    return await current_session().scalar(
        select(SweepState.events_read_until).where(SweepState.name == SWEEP)
    )
