"""A claim: what was bought with an address goes into the account of whoever proves it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from server.access import service as access
from server.access.records import Viewer
from server.accounts.records import AccountRecord
from server.alerts import service as alerts
from server.alerts.records import BoughtTwice
from server.checkout import paid_twice, repository
from server.checkout.records import OrderRecord
from server.clock import now
from server.database.session import require_transaction

# The courses that a viewer has begun to watch.
WatchedBy = Callable[[str], Awaitable[Collection[str]]]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What moved: from which browser's viewer, and which courses."""

    from_viewer: str
    course_ids: Sequence[str]


async def claim_orders(account: AccountRecord, watched_by: WatchedBy) -> list[Claimed]:
    """Move what was bought with a proven address into its account. In the caller's transaction.

    It may turn out that one person paid for a course twice: what was paid later goes back, unless it was
    watched; then staff decide.
    """
    require_transaction()
    browsers = await repository.browsers_to_claim_from(account.email_key)
    await access.lock_viewers([account.id, *browsers])
    orders = [one for one in await repository.lock_unclaimed(account.email_key) if one.viewer_id in browsers]
    if orders:
        await _look_for_second_payments(account, orders, watched_by)
    claimed = []
    for order in orders:
        await repository.give_to(order.id, account.id)
        course_ids = await access.move([item.id for item in order.items], account.id)
        claimed.append(Claimed(order.viewer_id, course_ids))
    return claimed


async def _look_for_second_payments(
    account: AccountRecord, claimed: Sequence[OrderRecord], watched_by: WatchedBy
) -> None:
    course_ids = {course_id for order in claimed for course_id in order.course_ids}
    own = await repository.lock_paid_of(account.id, course_ids)
    owned = await access.open_course_ids(Viewer.of(account.id), course_ids)
    orders = sorted([*own, *(one for one in claimed if one.is_paid)], key=lambda one: (one.paid_at, one.id))
    at = now()
    opened = {order.id: await paid_twice.owned_through([order], at) for order in orders}
    for course_id in sorted(course_ids):
        bought = [
            (order, item)
            for order in orders
            for item in order.items
            if item.course_id == course_id and course_id in opened[order.id]
        ]
        was_given = course_id in owned and not any(order in own for order, _ in bought)
        if was_given and bought:
            await _leave_to_staff(bought[0][0])
        for order, item in bought[1:]:
            payment = order.paid_payment
            if course_id in await watched_by(order.viewer_id):
                await _leave_to_staff(order)
            elif payment is not None:
                await paid_twice.repay(order, payment, item, at)


async def _leave_to_staff(order: OrderRecord) -> None:
    """Once: the settlement may have told of it, by the address alone."""
    await alerts.raise_alert(BoughtTwice(email=order.email), f"twice:{order.id}", order_number=order.number)
