"""The only SQL on audit entries: they are added and read."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from sqlalchemy import func, insert, select

from server.audit.models import ActorKind, AuditEntry
from server.audit.records import AuditRecord
from server.database.session import current_session, require_transaction
from server.paging import Page, offset_of


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


async def list_page(number: int, size: int, about: Mapping[str, Collection[str]]) -> Page[AuditRecord]:
    """Newest first. `about`: only of these ids, by subject; empty: of all."""
    named = [
        (AuditEntry.subject == subject) & AuditEntry.subject_id.in_(ids) for subject, ids in about.items()
    ]
    wanted = [reduce(or_, named)] if named else []
    total = await current_session().scalar(select(func.count()).select_from(AuditEntry).where(*wanted))
    rows = await current_session().scalars(
        select(AuditEntry)
        .where(*wanted)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .offset(offset_of(number, size))
        .limit(size)
    )
    return Page([AuditRecord.of(row) for row in rows], total or 0, number, size)
