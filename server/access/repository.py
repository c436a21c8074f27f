"""The only SQL on the ledger of grants."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from server.access.models import Grant, GrantState, ViewerRow
from server.access.records import GrantRecord
from server.accounts.models import User
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once


async def add_viewer(viewer_id: str, at: datetime) -> bool:
    return await insert_once(ViewerRow, {"id": viewer_id, "created_at": at})


async def lock_viewer(viewer_id: str) -> None:
    require_transaction()
    await current_session().execute(select(ViewerRow.id).where(ViewerRow.id == viewer_id).with_for_update())


async def list_for_course(viewer_ids: Sequence[str], course_id: str) -> list[GrantRecord]:
    return await _list(Grant.viewer_id.in_(viewer_ids), Grant.course_id == course_id)


async def list_for_viewers(viewer_ids: Sequence[str]) -> list[GrantRecord]:
    return await _list(Grant.viewer_id.in_(viewer_ids))


async def list_active(viewer_ids: Sequence[str], course_ids: Collection[str] | None) -> list[GrantRecord]:
    conditions: list[Any] = [Grant.viewer_id.in_(viewer_ids), Grant.state == GrantState.ACTIVE]
    if course_ids is not None:
        conditions.append(Grant.course_id.in_(course_ids))
    return await _list(*conditions)


async def list_of_address(email_key: str, viewer_id: str, course_ids: Collection[str]) -> list[GrantRecord]:
    account = select(User.id).where(User.email_key == email_key)
    return await _list(
        or_(Grant.viewer_id == viewer_id, Grant.viewer_id.in_(account)), Grant.course_id.in_(course_ids)
    )


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


async def add(**values: Any) -> GrantRecord:
    require_transaction()
    row = Grant(**values)
    current_session().add(row)
    await current_session().flush()
    return GrantRecord.of(row)


async def add_many(rows: Sequence[dict[str, Any]]) -> None:
    require_transaction()
    if rows:
        await current_session().execute(insert(Grant), list(rows))


async def change(grant_id: str, **values: Any) -> None:
    await changed(update(Grant).where(Grant.id == grant_id).values(**values))


async def move(grant_ids: Collection[str], to_viewer: str, at: datetime) -> None:
    await changed(update(Grant).where(Grant.id.in_(grant_ids)).values(viewer_id=to_viewer, updated_at=at))
