"""Acts of staff that touch two domains at once; every rule is in the domains' own services."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from server.access import service as access
from server.access.models import GrantReason
from server.access.records import GrantRecord
from server.accounts import service as accounts
from server.accounts.records import AccountRecord
from server.audit.records import Actor
from server.catalog import service as catalog
from server.checkout import service as checkout
from server.clock import now
from server.database.session import transactional
from server.errors import NotFound
from server.settings import settings


@dataclass(frozen=True, slots=True)
class Gift:
    """Access that a member of staff gives by hand."""

    course_id: str
    reason: GrantReason
    note: str
    ends_at: datetime | None


@transactional
async def give_access(actor: Actor, user_id: str, gift: Gift) -> GrantRecord:
    """Raises NotFound for an unknown person or course."""
    account = await accounts.get(user_id)
    return await _give(actor, account.id, gift)


@transactional
async def give_access_by_email(actor: Actor, email: str, locale: str, gift: Gift) -> AccountRecord:
    """To the account of an address, or to a new, unproven one: whoever proves the address gets it."""
    account = await accounts.find_by_email(email) or await accounts.open_unproven(email, locale)
    await _give(actor, account.id, gift)
    return account


async def _give(actor: Actor, viewer_id: str, gift: Gift) -> GrantRecord:
    await catalog.get_course_by_id(gift.course_id)
    return await access.give(
        actor, viewer_id, gift.course_id, gift.reason, note=gift.note, ends_at=gift.ends_at
    )


@transactional
async def revoke_access(actor: Actor, user_id: str, grant_id: str) -> None:
    """Raises NotFound if this person has no such grant."""
    grant = await access.revoke(actor, grant_id)
    if grant.viewer_id != user_id:
        raise NotFound


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold in a span of business days: orders, and (currency, amount after refunds)."""

    orders: int
    sums: list[tuple[str, int]]


async def sales_of_last_days(days: int) -> Sales:
    """Of today and the days before it, as the calendar of BUSINESS_TIMEZONE counts days."""
    today = now().astimezone(settings().timezone).date()
    start, end = (
        datetime.combine(day, time(), settings().timezone)
        for day in (today - timedelta(days=days - 1), today + timedelta(days=1))
    )
    rows = await checkout.sales_between(start, end)
    return Sales(sum(orders for _, orders, _ in rows), [(currency, amount) for currency, _, amount in rows])
