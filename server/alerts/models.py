"""Things that a person has to look at."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database.base import Base, table_args
from server.database.types import Id, JsonText, UtcDateTime, enum_column


class AlertKind(StrEnum):
    AMOUNT_DIFFERS = "amount_differs"
    NOT_SETTLED = "not_settled"
    BOUGHT_TWICE = "bought_twice"
    PAID_TWICE = "paid_twice"
    DISPUTE_OPENED = "dispute_opened"
    REFUND_FAILED = "refund_failed"
    REFUND_UNASSIGNED = "refund_unassigned"
    MAIL_STUCK = "mail_stuck"
    FRAUD_WARNING = "fraud_warning"


class Alert(Base):
    """`subject_key` makes one alert of a thing that is told twice."""

    __tablename__ = "alerts"
    __table_args__ = table_args(UniqueConstraint("subject_key"), Index(None, "resolved_at", "created_at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[AlertKind] = mapped_column(enum_column(AlertKind))
    subject_key: Mapped[str] = mapped_column(String(255))
    order_number: Mapped[str | None] = mapped_column(String(16))
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id"))
