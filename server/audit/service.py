"""The audit: every act of staff and jobs leaves one entry, in the transaction of the act itself."""

from collections.abc import Collection, Mapping
from typing import Any

from server.audit import repository
from server.audit.records import Actor, AuditRecord
from server.clock import now
from server.database.session import require_transaction
from server.paging import Page
from server.tokens import new_id

ENTRIES_PER_PAGE = 50


async def note(
    actor: Actor,
    act: str,
    subject: str,
    subject_id: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what to what, in the open transaction: what is rolled back was not done.

    `act` is a verb of the subject ("order.refund", "grant.revoke"); `before` and `after` are JSON values:
    ids, amounts and states, never addresses or secrets.
    """
    require_transaction()
    await repository.add(
        id=new_id(),
        at=now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        act=act,
        subject=subject,
        subject_id=subject_id,
        before=dict(before or {}),
        after=dict(after or {}),
    )


async def entries(
    number: int, about: Mapping[str, Collection[str]] | None = None, *, size: int = ENTRIES_PER_PAGE
) -> Page[AuditRecord]:
    """For admins: newest first; of everything, or what was done to these (subject → ids)."""
    return await repository.list_page(number, size, about or {})
