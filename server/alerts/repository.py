"""The only SQL on alerts."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from server.alerts.models import Alert, AlertKind
from server.alerts.records import AlertRecord
from server.database.session import current_session
from server.database.write import changed, insert_once


async def add(
    alert_id: str,
    *,
    kind: AlertKind,
    subject_key: str,
    order_number: str | None,
    facts: dict[str, Any],
    created_at: datetime,
) -> bool:
    """False if there is an alert of this subject already."""
    return await insert_once(
        Alert,
        {
            "id": alert_id,
            "kind": kind,
            "subject_key": subject_key,
            "order_number": order_number,
            "facts": facts,
            "created_at": created_at,
        },
    )


async def list_open() -> list[AlertRecord]:
    rows = await current_session().scalars(
        select(Alert).where(Alert.resolved_at.is_(None)).order_by(Alert.created_at.desc(), Alert.id)
    )
    return [AlertRecord.of(row) for row in rows]


async def count_open() -> int:
    return (
        await current_session().scalar(
            select(func.count()).select_from(Alert).where(Alert.resolved_at.is_(None))
        )
        or 0
    )


async def list_for_order(number: str) -> list[AlertRecord]:
    rows = await current_session().scalars(
        select(Alert).where(Alert.order_number == number).order_by(Alert.created_at.desc(), Alert.id)
    )
    return [AlertRecord.of(row) for row in rows]


async def open_alert_of(subject_key: str) -> str | None:
    return await current_session().scalar(
        select(Alert.id).where(Alert.subject_key == subject_key, Alert.resolved_at.is_(None))
    )


async def resolve(alert_id: str, by: str | None, at: datetime) -> bool:
    open_one = update(Alert).where(Alert.id == alert_id, Alert.resolved_at.is_(None))
    return await changed(open_one.values(resolved_at=at, resolved_by=by)) == 1
