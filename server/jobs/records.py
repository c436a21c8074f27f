"""What a job is told as."""

from datetime import datetime
from typing import Any

from server.audit.models import ActorKind
from server.audit.records import Actor
from server.database.records import Record
from server.jobs.models import JobState


class JobRecord(Record):
    id: str
    kind: str
    arguments: dict[str, Any]
    state: JobState
    done: int
    total: int | None
    tries: int
    next_try_at: datetime
    holder: str | None
    held_until: datetime | None
    cancel_requested: bool
    result: dict[str, Any] | None
    error: str
    actor_kind: ActorKind
    actor_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def actor(self) -> Actor:
        """Who started it."""
        return Actor(self.actor_kind, self.actor_id)

    @property
    def is_over(self) -> bool:
        return self.state not in (JobState.WAITING, JobState.RUNNING)
