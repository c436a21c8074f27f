"""Alerts: raised by the domains, looked at and closed by staff."""

from typing import Any

from server.alerts import repository
from server.alerts.models import AlertKind
from server.alerts.records import AlertRecord
from server.clock import now
from server.database.session import require_transaction, transaction
from server.errors import NotFound
from server.tokens import new_id


async def raise_alert(
    kind: AlertKind, subject_key: str, *, order_number: str | None = None, **facts: Any
) -> bool:
    """False if this has been told before."""
    require_transaction()
    return await repository.add(
        {
            "id": new_id(),
            "kind": kind,
            "subject_key": subject_key,
            "order_number": order_number,
            "facts": facts,
            "created_at": now(),
        }
    )


async def open_alerts() -> list[AlertRecord]:
    """Unresolved ones, newest first."""
    return await repository.list_open()


async def count_open() -> int:
    return await repository.count_open()


async def alerts_of_order(number: str) -> list[AlertRecord]:
    return await repository.list_for_order(number)


async def resolve(alert_id: str, by: str) -> None:
    async with transaction():
        if not await repository.resolve(alert_id, by, now()):
            raise NotFound
