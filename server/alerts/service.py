"""Alerts: raised by the domains, looked at and closed by staff."""

from dataclasses import asdict

from server.alerts import repository
from server.alerts.records import AlertRecord, Facts
from server.audit import service as audit
from server.audit.records import Actor
from server.clock import now
from server.database.session import require_transaction, transactional
from server.errors import NotFound
from server.tokens import new_id


async def raise_alert(facts: Facts, subject_key: str, *, order_number: str | None = None) -> bool:
    """False if this subject has been told of before."""
    require_transaction()
    return await repository.add(
        new_id(),
        kind=facts.kind,
        subject_key=subject_key,
        order_number=order_number,
        facts=asdict(facts),
        created_at=now(),
    )


async def withdraw(actor: Actor, subject_key: str) -> None:
    """Close what was told of this subject, if it is open: it has come out otherwise."""
    require_transaction()
    alert_id = await repository.open_alert_of(subject_key)
    if alert_id is not None and await repository.resolve(alert_id, None, now()):
        await _note_resolved(actor, alert_id)


async def open_alerts() -> list[AlertRecord]:
    """Unresolved ones, newest first."""
    return await repository.list_open()


async def count_open() -> int:
    return await repository.count_open()


async def alerts_of_order(number: str) -> list[AlertRecord]:
    return await repository.list_for_order(number)


@transactional
async def resolve(actor: Actor, alert_id: str) -> None:
    """Raises NotFound if there is no such alert, or somebody has closed it meanwhile."""
    if not await repository.resolve(alert_id, actor.account_id, now()):
        raise NotFound
    await _note_resolved(actor, alert_id)


async def _note_resolved(actor: Actor, alert_id: str) -> None:
    await audit.note(actor, "alert.resolve", "alert", alert_id, before={"open": True}, after={"open": False})
