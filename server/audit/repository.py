"""The only SQL on audit entries: they are added and read."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from server.audit.models import ActorKind, AuditEntry
from server.audit.records import AuditRecord
from server.database.session import current_session, require_transaction


async def add(
    *,
    id: str,
    at: datetime,
    actor_kind: ActorKind,
    actor_id: str,
    act: str,
    subject: str,
    subject_id: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    require_transaction()
    await current_session().execute(
        insert(AuditEntry).values(
            id=id,
            at=at,
            actor_kind=actor_kind,
            actor_id=actor_id,
            act=act,
            subject=subject,
            subject_id=subject_id,
            before=before,
            after=after,
        )
    )


async def list_page(offset: int, limit: int) -> tuple[list[AuditRecord], int]:
    total = await current_session().scalar(select(func.count()).select_from(AuditEntry))
    rows = await current_session().scalars(
        select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).offset(offset).limit(limit)
    )
    return [AuditRecord.of(row) for row in rows], total or 0


async def list_of(subject: str, subject_id: str) -> list[AuditRecord]:
    rows = await current_session().scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == subject, AuditEntry.subject_id == subject_id)
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return [AuditRecord.of(row) for row in rows]
