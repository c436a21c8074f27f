"""The only SQL on the ledger of grants."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from server.access.models import ClosedBy, Grant, GrantReason, GrantState, ViewerRow
from server.access.records import GrantRecord
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once
from server.tokens import new_id


async def add_viewer(viewer_id: str, at: datetime) -> bool:
    require_transaction()
    return await insert_once(ViewerRow, {"id": viewer_id, "created_at": at})


async def lock_viewers(viewer_ids: Collection[str]) -> set[str]:
    """Those that there are, in the order of their ids: whoever else locks them waits, and no more."""
    require_transaction()
    found = select(ViewerRow.id).where(ViewerRow.id.in_(viewer_ids)).order_by(ViewerRow.id)
    return set(await current_session().scalars(found.with_for_update()))


async def list_for_course(viewer_ids: Sequence[str], course_id: str) -> list[GrantRecord]:
    return await _list(Grant.viewer_id.in_(viewer_ids), Grant.course_id == course_id)


async def list_for_viewers(viewer_ids: Sequence[str]) -> list[GrantRecord]:
    return await _list(Grant.viewer_id.in_(viewer_ids))


async def list_active(viewer_ids: Sequence[str], course_ids: Collection[str] | None) -> list[GrantRecord]:
    conditions: list[Any] = [Grant.viewer_id.in_(viewer_ids), Grant.state == GrantState.ACTIVE]
    if course_ids is not None:
        conditions.append(Grant.course_id.in_(course_ids))
    return await _list(*conditions)


async def list_for_courses(viewer_ids: Collection[str], course_ids: Collection[str]) -> list[GrantRecord]:
    return await _list(Grant.viewer_id.in_(viewer_ids), Grant.course_id.in_(course_ids))


async def list_for_items(order_item_ids: Sequence[str]) -> list[GrantRecord]:
    return await _list(Grant.order_item_id.in_(order_item_ids))


async def lock_for_items(order_item_ids: Sequence[str]) -> list[GrantRecord]:
    return await _list(Grant.order_item_id.in_(order_item_ids), lock=True)


async def _list(*conditions: Any, lock: bool = False) -> list[GrantRecord]:
    if lock:
        require_transaction()
    found = select(Grant).where(*conditions).order_by(Grant.created_at, Grant.id)
    rows = await current_session().scalars(found.with_for_update() if lock else found)
    return [GrantRecord.of(row) for row in rows]


async def lock(grant_id: str) -> GrantRecord | None:
    require_transaction()
    row = await current_session().scalar(select(Grant).where(Grant.id == grant_id).with_for_update())
    return GrantRecord.of(row) if row else None


async def give(
    viewer_id: str,
    course_id: str,
    reason: GrantReason,
    *,
    note: str,
    given_by: str | None,
    starts_at: datetime,
    ends_at: datetime | None,
    at: datetime,
) -> GrantRecord:
    """A grant that a person gives."""
    require_transaction()
    row = Grant(
        id=new_id(),
        viewer_id=viewer_id,
        course_id=course_id,
        reason=reason,
        state=GrantState.ACTIVE,
        note=note,
        given_by=given_by,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=at,
        updated_at=at,
    )
    current_session().add(row)
    await current_session().flush()
    return GrantRecord.of(row)


async def add_bought(
    viewer_id: str, items: Sequence[tuple[str, str, GrantState]], closed_by: ClosedBy, at: datetime
) -> None:
    """Grants of order items (order item id, course id, state); `closed_by` of those that are not active."""
    require_transaction()
    rows = [
        {
            "id": new_id(),
            "viewer_id": viewer_id,
            "course_id": course_id,
            "reason": GrantReason.PURCHASE,
            "state": state,
            "closed_by": None if state is GrantState.ACTIVE else closed_by,
            "order_item_id": order_item_id,
            "starts_at": at,
            "created_at": at,
            "updated_at": at,
        }
        for order_item_id, course_id, state in items
    ]
    if rows:
        await current_session().execute(insert(Grant), rows)


async def set_state(grant_id: str, state: GrantState, closed_by: ClosedBy | None, at: datetime) -> None:
    await changed(
        update(Grant).where(Grant.id == grant_id).values(state=state, closed_by=closed_by, updated_at=at)
    )


async def move(grant_ids: Collection[str], to_viewer: str, at: datetime) -> None:
    await changed(update(Grant).where(Grant.id.in_(grant_ids)).values(viewer_id=to_viewer, updated_at=at))
