"""The only SQL on orders; payments, refunds, disputes and figures have files of their own beside it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    exists,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.orm import aliased, joinedload, selectinload

from server.accounts.models import User
from server.checkout.models import (
    Order,
    OrderItem,
    OrderKey,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
)
from server.checkout.payment_repository import OPEN
from server.checkout.records import OrderRecord, Quote
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once
from server.stripe_events.models import StripeEvent
from server.tokens import new_id

PAID = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)
# What cost nothing cannot be refunded: it counts as bought.
UNREFUNDED = or_(OrderItem.amount == 0, OrderItem.refunded_amount < OrderItem.amount)


@dataclass(frozen=True, slots=True)
class OrderVersion:
    """What of an order must be known before its intent is fetched."""

    order_id: str
    version: int
    viewer_id: str
    pressed_key_id: str | None
    address_account_id: str | None = None  # the account of the order's address, whoever holds the order
    has_event: bool = False  # the event that was asked about has been handled


def of_one_buyer(viewer_id: str, key_id: str | None) -> ColumnElement[bool]:
    """Orders of the same buyer: of this account or browser, and what was pressed in the same browser.

    Two accounts in one browser are two people; an account and a guest there are taken for one.
    """
    if viewer_id == key_id:
        return or_(Order.viewer_id == key_id, Order.pressed_key_id == key_id)
    return Order.viewer_id.in_([one for one in (viewer_id, key_id) if one])


def with_parts() -> Select[Order]:
    """An order with its items and payments, in one statement: both are few."""
    return select(Order).options(joinedload(Order.items), joinedload(Order.payments))


async def list_orders(statement: Select[Order]) -> list[OrderRecord]:
    rows = await current_session().execute(statement)
    return [OrderRecord.of(row) for row in rows.unique().scalars()]


async def _one(statement: Select[Order]) -> OrderRecord | None:
    return next(iter(await list_orders(statement)), None)


# Orders


async def get(number: str) -> OrderRecord | None:
    """With everything that belongs to it."""
    return await _one(_whole(number))


async def get_by_intent(intent_id: str) -> OrderRecord | None:
    return await _one(with_parts().where(Order.payments.any(Payment.intent_id == intent_id)))


async def look(order_id: str) -> OrderRecord:
    """One that is known to be there: orders are never deleted."""
    order = await _one(with_parts().where(Order.id == order_id))
    assert order is not None
    return order


async def lock(order_id: str) -> OrderRecord | None:
    require_transaction()
    return await _one(with_parts().where(Order.id == order_id).with_for_update())


async def lock_whole(number: str) -> OrderRecord | None:
    require_transaction()
    return await _one(_whole(number).with_for_update())


def _whole(number: str) -> Select[Order]:
    parts = selectinload(Order.refunds).selectinload(Refund.items), selectinload(Order.disputes)
    return with_parts().options(*parts).where(Order.number == number)


async def lock_open(
    viewer_id: str, key_id: str | None, course_ids: Collection[str], *, and_order: str = ""
) -> list[OrderRecord]:
    """This buyer's pending orders that share a course with these; and one order in whatever state."""
    this = select(Order.id).where(Order.id == and_order)
    return await _lock_those(union(this, _open(viewer_id, key_id, course_ids)))


async def has_open(viewer_id: str, key_id: str | None, course_ids: Collection[str]) -> bool:
    """Whether this buyer has a pending order that shares a course with these."""
    return await current_session().scalar(_open(viewer_id, key_id, course_ids).limit(1)) is not None


def _open(viewer_id: str, key_id: str | None, course_ids: Collection[str]) -> Select[str]:
    return select(Order.id).where(
        Order.status == OrderStatus.PENDING,
        of_one_buyer(viewer_id, key_id),
        Order.items.any(OrderItem.course_id.in_(course_ids)),
    )


async def lock_with_paid(known: OrderVersion) -> tuple[OrderRecord, list[OrderRecord]]:
    """An order, and the paid ones of its buyer and of its address: two paid at once must see each other.

    The unpaid ones are locked, too: one of them may be on its way to be paid.
    """
    other = aliased(Order)
    address = select(other.email_key).where(other.id == known.order_id).scalar_subquery()
    alive = Order.status != OrderStatus.CANCELED
    related = union(
        select(Order.id).where(Order.id == known.order_id),
        select(Order.id).where(Order.email_key == address, alive),
        select(Order.id).where(of_one_buyer(known.viewer_id, known.pressed_key_id), alive),
    )
    orders = await _lock_those(related)
    order = next(one for one in orders if one.id == known.order_id)  # orders are never deleted
    return order, [one for one in orders if one is not order and one.is_paid]


async def _lock_those(ids: CompoundSelect[str]) -> list[OrderRecord]:
    """By their ids alone: a search under locks would also lock what it only looks at."""
    require_transaction()
    found = ids.subquery()
    return await list_orders(with_parts().join(found, found.c.id == Order.id).with_for_update())


async def lock_unclaimed(email_key: str) -> list[OrderRecord]:
    """Settled guest orders made with this address that still belong to a browser."""
    require_transaction()
    return await list_orders(
        with_parts().where(_is_unclaimed(email_key)).order_by(Order.created_at, Order.id).with_for_update()
    )


async def browsers_to_claim_from(email_key: str) -> list[str]:
    """The order keys that hold settled orders made with this address."""
    return list(await current_session().scalars(select(Order.viewer_id).where(_is_unclaimed(email_key))))


def _is_unclaimed(email_key: str) -> ColumnElement[bool]:
    return and_(
        Order.email_key == email_key,
        Order.viewer_id == Order.order_key_id,
        Order.status.in_((*PAID, OrderStatus.REFUNDED)),
    )


async def lock_paid_of(viewer_id: str, course_ids: Collection[str]) -> list[OrderRecord]:
    """What this viewer paid for that holds one of these courses, first paid first."""
    require_transaction()
    return await list_orders(
        with_parts()
        .where(
            Order.viewer_id == viewer_id,
            Order.status.in_(PAID),
            Order.items.any(OrderItem.course_id.in_(course_ids)),
        )
        .order_by(Order.paid_at, Order.id)
        .with_for_update()
    )


async def version_by_intent(intent_id: str, event_id: str = "") -> OrderVersion | None:
    return await _version(
        Order.id.in_(select(Payment.order_id).where(Payment.intent_id == intent_id)), event_id
    )


async def version_by_number(number: str) -> OrderVersion | None:
    return await _version(Order.number == number)


async def version_of(order_id: str) -> OrderVersion | None:
    return await _version(Order.id == order_id)


async def _version(condition: ColumnElement[bool], event_id: str = "") -> OrderVersion | None:
    account = select(User.id).where(User.email_key == Order.email_key).scalar_subquery()
    has_event = exists().where(StripeEvent.id == event_id)
    found = await current_session().execute(
        select(Order.id, Order.version, Order.viewer_id, Order.pressed_key_id, account, has_event).where(
            condition
        )
    )
    row = found.one_or_none()
    return OrderVersion(*row) if row else None


async def paid_order_pressed_at(key_id: str, course_ids: Collection[str]) -> str | None:
    """The number of a paid order of these courses that was pressed in this browser; an account holds it."""
    return await _paid_order(course_ids, Order.pressed_key_id == key_id, Order.viewer_id != key_id)


async def unclaimed_order_of(email_key: str, course_ids: Collection[str]) -> str | None:
    """The number of a paid order of these courses that a guest made with this address; nobody claimed it."""
    return await _paid_order(course_ids, Order.email_key == email_key, Order.viewer_id == Order.order_key_id)


async def _paid_order(course_ids: Collection[str], *conditions: ColumnElement[bool]) -> str | None:
    return await current_session().scalar(
        select(Order.number)
        .join(OrderItem, OrderItem.order_id == Order.id)
        .where(*conditions, Order.status.in_(PAID), OrderItem.course_id.in_(course_ids), UNREFUNDED)
        .limit(1)
    )


async def list_of_viewers(viewer_ids: Sequence[str]) -> list[OrderRecord]:
    return await list_orders(
        with_parts()
        .where(
            Order.viewer_id.in_(viewer_ids),
            Order.status.not_in((OrderStatus.PENDING, OrderStatus.CANCELED)),
        )
        .order_by(Order.created_at.desc(), Order.id.desc())
    )


async def add_order_key(order_key_id: str, at: datetime) -> None:
    require_transaction()
    await insert_once(OrderKey, {"id": order_key_id, "created_at": at})


async def add_order(
    quote: Quote,
    *,
    number: str,
    viewer_id: str,
    order_key_id: str | None,
    pressed_key_id: str,
    email: str,
    email_key: str,
    locale: str,
    ip_mac: str,
    open_key: str,
    at: datetime,
) -> str:
    """A pending order of what was quoted; returns its id. The buyer's viewers are locked: nobody races."""
    require_transaction()
    order_id = new_id()
    session = current_session()
    session.add(
        Order(
            id=order_id,
            number=number,
            viewer_id=viewer_id,
            order_key_id=order_key_id,
            pressed_key_id=pressed_key_id,
            email=email,
            email_key=email_key,
            locale=locale,
            ip_mac=ip_mac,
            currency=quote.currency,
            amount=quote.total,
            quote_digest=quote.digest,
            status=OrderStatus.PENDING,
            open_key=open_key,
            created_at=at,
        )
    )
    await session.flush()
    session.add_all(
        OrderItem(
            id=new_id(),
            order_id=order_id,
            course_id=line.course.id,
            position=position,
            course_title=line.course.title,
            course_slug=line.course.slug,
            list_amount=line.list_amount,
            amount=line.amount,
        )
        for position, line in enumerate(quote.lines)
    )
    await session.flush()
    return order_id


async def follow_payments(
    order_id: str,
    *,
    version: int,
    status: OrderStatus,
    paid_at: datetime | None,
    canceled_at: datetime | None,
) -> None:
    """Bring an order into line with its payments; only a pending one keeps its open key."""
    require_transaction()
    values = {"version": version, "status": status, "paid_at": paid_at, "canceled_at": canceled_at}
    if status is not OrderStatus.PENDING:
        values["open_key"] = None
    await current_session().execute(update(Order).where(Order.id == order_id).values(**values))


async def give_to(order_id: str, viewer_id: str) -> None:
    """A claim. The version tells a settlement that has fetched already to look again whose it is."""
    await changed(
        update(Order).where(Order.id == order_id).values(viewer_id=viewer_id, version=Order.version + 1)
    )


async def readdress(order_id: str, *, email: str, email_key: str, locale: str) -> None:
    """Change whom a pending order is of; its receipt is not on its way yet."""
    require_transaction()
    pending = update(Order).where(Order.id == order_id, Order.status == OrderStatus.PENDING)
    await current_session().execute(pending.values(email=email, email_key=email_key, locale=locale))


async def cancel(order: OrderRecord, at: datetime) -> None:
    """End a locked, pending order. A payment whose intent Stripe knows is ended there, by the sweep."""
    require_transaction()
    session = current_session()
    unborn = update(Payment).where(Payment.order_id == order.id, Payment.intent_id.is_(None))
    await session.execute(unborn.values(status=PaymentStatus.CANCELED))
    await session.execute(
        update(Order)
        .where(Order.id == order.id)
        .values(status=OrderStatus.CANCELED, open_key=None, canceled_at=at, version=Order.version + 1)
    )


async def list_forgotten(before: datetime, limit: int) -> list[str]:
    """Ids of pending orders made before then that have no open payment."""
    has_open = exists().where(Payment.order_id == Order.id, Payment.status.in_(OPEN))
    found = select(Order.id).where(Order.status == OrderStatus.PENDING, Order.created_at < before, ~has_open)
    return list(await current_session().scalars(found.order_by(Order.created_at).limit(limit)))


async def mark_item_refunded(item_id: str, amount: int) -> None:
    await changed(update(OrderItem).where(OrderItem.id == item_id).values(refunded_amount=amount))
