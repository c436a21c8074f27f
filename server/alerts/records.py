"""What an alert is told as."""

from datetime import datetime
from typing import Any

from server.alerts.models import AlertKind
from server.database.records import Record


class AlertRecord(Record):
    id: str
    kind: AlertKind
    order_number: str | None
    facts: dict[str, Any]
    created_at: datetime
    resolved_at: datetime | None
