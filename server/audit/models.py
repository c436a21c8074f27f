"""Who did what to what: rows are added and never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.database.base import Base, table_args
from server.database.types import Id, JsonText, UtcDateTime, enum_column


class ActorKind(StrEnum):
    STAFF = "staff"
    JOB = "job"
    COMMAND = "command"


class AuditEntry(Base):
    """`before` and `after` hold ids, amounts and states; never an address, a name or a secret."""

    __tablename__ = "audit_entries"
    __table_args__ = table_args(
        Index(None, "at", "id"),
        Index(None, "subject", "subject_id", "at"),
        Index(None, "actor_id", "at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_kind: Mapped[ActorKind] = mapped_column(enum_column(ActorKind))
    # An account's id, or the name of a job or a command. No foreign key: the entry outlives its account.
    actor_id: Mapped[str] = mapped_column(String(64))
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(64))
    before: Mapped[dict[str, Any]] = mapped_column(JsonText)
    after: Mapped[dict[str, Any]] = mapped_column(JsonText)
