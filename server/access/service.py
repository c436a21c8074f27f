"""The ledger of grants: the one place that is asked "may she watch this?", and the acts that write it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from server.access import repository
from server.access.models import ClosedBy, GrantReason, GrantState
from server.access.records import GrantRecord, Permission, Viewer
from server.audit import service as audit
from server.audit.records import Actor
from server.clock import now
from server.database.session import require_transaction
from server.errors import NotFound, PlaybillError
from server.i18n import N_


class GivenAlready(PlaybillError):
    status = 409
    code = "given_already"
    field = "course"
    message = N_("This person has been given the course already. Close that access first.")


class Watchable(Protocol):
    """What of a lecture the ledger has to know."""

    @property
    def course_id(self) -> str: ...

    @property
    def is_preview(self) -> bool: ...


async def may_watch(viewer: Viewer, lecture: Watchable) -> Permission:
    """Whether `viewer` may watch `lecture` now, and by which reason.

    A grant comes before a free preview as the reason: with it progress is kept. Of several open
    grants the one that ends last counts.
    """
    at = now()
    grants = await repository.list_for_course(viewer.ids, lecture.course_id) if viewer.ids else []
    if open_grants := [grant for grant in grants if grant.is_open(at)]:
        return Permission(True, grant=max(open_grants, key=_lasts))
    return Permission(allowed=lecture.is_preview, is_preview=lecture.is_preview)


def _lasts(grant: GrantRecord) -> float:
    return grant.ends_at.timestamp() if grant.ends_at else float("inf")


async def open_grants(viewer_ids: Collection[str], course_ids: Collection[str]) -> list[GrantRecord]:
    """Open grants of these courses that one of these viewers has."""
    at = now()
    found = await repository.list_for_courses(viewer_ids, course_ids)
    return [grant for grant in found if grant.is_open(at)]


async def open_course_ids(viewer: Viewer, course_ids: Collection[str] | None = None) -> set[str]:
    """Courses (of `course_ids`, if given) that the viewer may watch now; asks nothing for a stranger."""
    if course_ids is not None and not course_ids:
        return set()
    return {grant.course_id for grant in await open_grants_of(viewer, course_ids)}


async def open_grants_of(viewer: Viewer, course_ids: Collection[str] | None = None) -> list[GrantRecord]:
    """Her open grants (of `course_ids`, if given), oldest first; asks nothing for a stranger."""
    if not viewer.ids:
        return []
    at = now()
    return [one for one in await repository.list_active(viewer.ids, course_ids) if one.is_open(at)]


async def held(viewer: Viewer, course_ids: Collection[str]) -> list[GrantRecord]:
    """Her grants of these courses, closed ones too, oldest first; asks nothing for a stranger."""
    return await repository.list_for_courses(viewer.ids, course_ids) if viewer.ids else []


async def grants_of(viewer_id: str) -> list[GrantRecord]:
    """All grants of a viewer, closed ones too, oldest first."""
    return await repository.list_for_viewers([viewer_id])


async def grants_for_items(order_item_ids: Sequence[str]) -> list[GrantRecord]:
    return await repository.list_for_items(order_item_ids)


async def register_viewer(viewer_id: str) -> bool:
    """Make a viewer of this id, which an account or an order key will share."""
    require_transaction()
    return await repository.add_viewer(viewer_id, now())


async def lock_viewers(viewer_ids: Iterable[str | None]) -> set[str]:
    """Until the transaction ends nobody else decides what these viewers buy; returns those that there are."""
    return await repository.lock_viewers({one for one in viewer_ids if one})


async def give(
    actor: Actor,
    viewer_id: str,
    course_id: str,
    reason: GrantReason,
    *,
    note: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> GrantRecord:
    """Give access by hand; raises GivenAlready while such a grant is open."""
    require_transaction()
    at = now()
    await repository.lock_viewers([viewer_id])
    for grant in await repository.list_for_course([viewer_id], course_id):
        if grant.reason is not GrantReason.PURCHASE and grant.is_open(at):
            raise GivenAlready
    given = await repository.give(
        viewer_id,
        course_id,
        reason,
        note=note,
        given_by=actor.account_id,
        starts_at=starts_at or at,
        ends_at=ends_at,
        at=at,
    )
    told = {"viewer": viewer_id, "course": course_id, "reason": reason.value}
    if ends_at:
        told["ends_at"] = ends_at.isoformat()
    await audit.note(actor, "grant.give", "grant", given.id, after=told)
    return given


async def revoke(actor: Actor, grant_id: str) -> GrantRecord:
    """Close a grant by hand; no payment event opens it again."""
    require_transaction()
    grant = await repository.lock(grant_id)
    if grant is None:
        raise NotFound
    if grant.closed_by is ClosedBy.STAFF and grant.state is GrantState.REVOKED:
        return grant
    await repository.set_state(grant_id, GrantState.REVOKED, ClosedBy.STAFF, now())
    whose = {"viewer": grant.viewer_id, "course": grant.course_id}
    await audit.note(
        actor,
        "grant.revoke",
        "grant",
        grant_id,
        before=whose | {"state": grant.state.value},
        after=whose | {"state": GrantState.REVOKED.value},
    )
    return grant


async def follow_payment(
    viewer_id: str, wanted: Sequence[tuple[str, str, GrantState]], *, is_first: bool
) -> None:
    """Bring the grants of order items into line with their payment.

    `wanted` holds (order item id, course id, state); `is_first`: the order was never paid before, so there
    is no grant to look for (the unique key would tell otherwise).
    """
    require_transaction()
    at = now()
    existing = [] if is_first else await repository.lock_for_items([item_id for item_id, _, _ in wanted])
    by_item = {grant.order_item_id: grant for grant in existing}
    new = []
    for order_item_id, course_id, state in wanted:
        grant = by_item.get(order_item_id)
        if grant is None:
            new.append((order_item_id, course_id, state))
        elif grant.state is not state and grant.closed_by is not ClosedBy.STAFF:
            closed_by = None if state is GrantState.ACTIVE else ClosedBy.PAYMENT
            await repository.set_state(grant.id, state, closed_by, at)
    await repository.add_bought(viewer_id, new, ClosedBy.PAYMENT, at)


async def move(order_item_ids: Sequence[str], to_viewer: str) -> list[str]:
    """Move the grants of order items to a viewer; returns their courses."""
    require_transaction()
    grants = await repository.list_for_items(order_item_ids)
    if grants:
        await repository.move([grant.id for grant in grants], to_viewer, now())
    return [grant.course_id for grant in grants]
