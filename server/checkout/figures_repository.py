"""The only SQL of what staff read about many orders at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import selectinload

from server.access.models import Grant
from server.checkout.models import Order, OrderItem, OrderStatus, Payment, Refund
from server.checkout.records import NOT_GIVEN_BACK, OrderRecord
from server.checkout.repository import PAID, UNREFUNDED
from server.database.session import current_session
from server.paging import Page, offset_of


async def list_page(
    *, status: OrderStatus | None, number_or_email: str, email_key: str, number: int, size: int
) -> Page[OrderRecord]:
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
        .offset(offset_of(number, size))
        .limit(size)
    )
    return Page([OrderRecord.of(row) for row in rows.scalars()], total, number, size)


async def count_paid_without_access() -> int:
    """Paid, unrefunded order items for which no grant was ever made."""
    statement = (
        select(func.count())
        .select_from(OrderItem)
        .join(Order, Order.id == OrderItem.order_id)
        .where(Order.status.in_(PAID), UNREFUNDED, ~exists().where(Grant.order_item_id == OrderItem.id))
    )
    return await current_session().scalar(statement) or 0


async def list_sales(start: datetime, end: datetime) -> list[tuple[str, int, int]]:
    """(currency, orders, amount after refunds) of what was paid in a span of time."""
    # A second payment of an order is no sale, and its refund takes nothing from one.
    paid_by = (
        select(Payment.id)
        .where(Payment.order_id == Order.id, Payment.succeeded_at.is_not(None))
        .order_by(Payment.succeeded_at, Payment.attempt)
        .limit(1)
        .scalar_subquery()
    )
    given_back = (
        select(func.coalesce(func.sum(Refund.amount), 0))
        .where(Refund.payment_id == paid_by, Refund.status.not_in(NOT_GIVEN_BACK))
        .correlate(Order)
        .scalar_subquery()
    )
    rows = await current_session().execute(
        select(Order.currency, func.count(), func.sum(Order.amount - given_back))
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
