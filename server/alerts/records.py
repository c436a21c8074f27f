"""What is told of each kind of alert when it is raised, and what an alert is told as."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from server.alerts.models import AlertKind
from server.database.records import Record


@dataclass(frozen=True)
class Facts:
    """What the sentence of its kind has in its braces (admin/alerts/wording.py)."""

    kind: ClassVar[AlertKind]


@dataclass(frozen=True)
class AmountDiffers(Facts):
    kind = AlertKind.AMOUNT_DIFFERS
    intent: str
    differs: list[str]
    amount: int
    currency: str


@dataclass(frozen=True)
class NotSettled(Facts):
    kind = AlertKind.NOT_SETTLED
    intent: str
    type: str
    reason: str


@dataclass(frozen=True)
class BoughtTwice(Facts):
    kind = AlertKind.BOUGHT_TWICE
    email: str


@dataclass(frozen=True)
class PaidTwice(Facts):
    kind = AlertKind.PAID_TWICE
    amount: int
    currency: str


@dataclass(frozen=True)
class DisputeOpened(Facts):
    kind = AlertKind.DISPUTE_OPENED
    amount: int
    currency: str
    reason: str


@dataclass(frozen=True)
class RefundFailed(Facts):
    kind = AlertKind.REFUND_FAILED
    amount: int
    currency: str


@dataclass(frozen=True)
class RefundUnassigned(Facts):
    kind = AlertKind.REFUND_UNASSIGNED
    amount: int
    currency: str


@dataclass(frozen=True)
class MailStuck(Facts):
    kind = AlertKind.MAIL_STUCK
    reason: str


@dataclass(frozen=True)
class FraudWarned(Facts):
    kind = AlertKind.FRAUD_WARNING
    amount: int
    currency: str
    reason: str


class AlertRecord(Record):
    id: str
    kind: AlertKind
    order_number: str | None
    facts: dict[str, Any]
    created_at: datetime
    resolved_at: datetime | None
