"""Who acts, and what is told of an act."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from server.audit.models import ActorKind
from server.database.records import Record


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff, a job of ours, or whoever runs a command on the server."""

    kind: ActorKind
    id: str

    @classmethod
    def staff(cls, account_id: str) -> Self:
        return cls(ActorKind.STAFF, account_id)

    @classmethod
    def job(cls, name: str) -> Self:
        return cls(ActorKind.JOB, name)

    @classmethod
    def command(cls, name: str) -> Self:
        return cls(ActorKind.COMMAND, name)

    @property
    def account_id(self) -> str | None:
        return self.id if self.kind is ActorKind.STAFF else None


class AuditRecord(Record):
    id: str
    at: datetime
    actor_kind: ActorKind
    actor_id: str
    act: str
    subject: str
    subject_id: str
    before: dict[str, Any]
    after: dict[str, Any]
