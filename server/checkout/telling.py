"""What buyer and staff are told when an order is settled; in the settlement's own transaction."""

from collections.abc import Sequence
from datetime import timedelta

from server.access import service as access
from server.accounts import service as accounts
from server.alerts import service as alerts
from server.alerts.records import BoughtTwice, DisputeOpened, RefundFailed, RefundUnassigned
from server.checkout.decisions import Changes
from server.checkout.models import RefundReason
from server.checkout.records import OrderRecord, RefundRecord
from server.clock import now
from server.mail import service as mail
from server.settings import settings

GUEST_LINK_VALID_FOR = timedelta(days=30)


async def of_purchase(
    order: OrderRecord,
    changes: Changes,
    paid: Sequence[OrderRecord],
    address_account_id: str | None,
    *,
    paid_twice: bool,
) -> None:
    """The receipt, unless all of it is given back already; staff hear of what looks bought twice."""
    if all(0 < item.amount <= changes.refunded[item.id] for item in order.items):
        return
    twice = not paid_twice and (
        _share_a_course(order, paid) or await _owned_otherwise(order, address_account_id)
    )
    if twice:
        await alerts.raise_alert(
            BoughtTwice(email=order.email), f"twice:{order.id}", order_number=order.number
        )
    await _receipt(order, bought_twice=twice, paid_twice=paid_twice)


async def of_gift(order: OrderRecord) -> None:
    """The receipt of an order that cost nothing."""
    await _receipt(order)


async def _receipt(order: OrderRecord, *, bought_twice: bool = False, paid_twice: bool = False) -> None:
    """A guest's carries the link that proves the address and claims the purchase."""
    watch = order.watch_path
    if order.is_guests:
        token = await accounts.issue_link(order.email, next=watch, valid_for=GUEST_LINK_VALID_FOR)
        watch = f"/login/link/{token}"
    await mail.enqueue(
        f"receipt:{order.id}",
        order.email,
        "receipt",
        order.locale,
        order=order,
        paid_at=now(),
        link=settings().public_url + watch,
        is_guest=order.is_guests,
        bought_twice=bought_twice,
        paid_twice=paid_twice,
    )


def _share_a_course(order: OrderRecord, others: Sequence[OrderRecord]) -> bool:
    """Whether one of the others has bought, and not given back, a course of this order."""
    courses = set(order.course_ids)
    items = [item for other in others for item in other.items]
    return any(item.course_id in courses and not item.is_refunded for item in items)


async def _owned_otherwise(order: OrderRecord, address_account_id: str | None) -> bool:
    """Whether this viewer, or the account of the same address, has one of the courses by another grant."""
    viewers = [one for one in {order.viewer_id, address_account_id} if one]
    own_items = {item.id for item in order.items}
    grants = await access.open_grants(viewers, order.course_ids)
    return any(grant.order_item_id not in own_items for grant in grants)


async def of_refunds(order: OrderRecord, changes: Changes, known: Sequence[RefundRecord]) -> None:
    """Tell the buyer what more is given back, and staff what failed, is disputed or is of no item."""
    for found in changes.refunds:
        if found.fact.status == "failed":
            await alerts.raise_alert(
                RefundFailed(amount=found.fact.amount, currency=found.fact.currency),
                f"refund:{found.fact.id}",
                order_number=order.number,
            )
    for dispute in changes.disputes:
        if dispute.suspends or dispute.is_lost:  # not an inquiry, nor won: then access is as it was
            await alerts.raise_alert(
                DisputeOpened(amount=dispute.amount, currency=dispute.currency, reason=dispute.reason),
                f"dispute:{dispute.id}",
                order_number=order.number,
            )
    if changes.unassigned:
        await alerts.raise_alert(
            RefundUnassigned(amount=changes.unassigned, currency=order.currency),
            f"unassigned:{order.id}:{changes.unassigned}",
            order_number=order.number,
        )
    await _mail_refund(order, changes, known)


async def _mail_refund(order: OrderRecord, changes: Changes, known: Sequence[RefundRecord]) -> None:
    before = {one.id for one in known if one.counts}
    new = [one for one in changes.refunds if one.fact.counts and one.refund_id not in before]
    if not new:
        return
    reasons = {one.id: one.reason for one in known}
    await mail.enqueue(
        f"refund:{order.id}:{order.version}",
        order.email,
        "refund",
        order.locale,
        order=order,
        refunded_amount=sum(one.fact.amount for one in new),
        closes_access=bool(changes.grants)
        and all(0 < item.amount <= changes.refunded[item.id] for item in order.items),
        paid_twice=any(reasons.get(one.refund_id or "") is RefundReason.PAID_TWICE for one in new),
    )
