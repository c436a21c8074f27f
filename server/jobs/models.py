"""What is done beside the requests: leases of what repeats, and jobs that are done once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from server.audit.models import ActorKind
from server.database.base import Base, table_args
from server.database.types import Id, JsonText, UtcDateTime, enum_column
from server.i18n import N_
from server.labels import Labeled


class JobState(Labeled):
    WAITING = "waiting", N_("Waiting")
    RUNNING = "running", N_("Running")
    DONE = "done", N_("Done")
    FAILED = "failed", N_("Failed")
    CANCELED = "canceled", N_("Canceled")


class JobLease(Base):
    """A job that one worker of the whole site does at a time: who has it until when, and how far it got."""

    __tablename__ = "job_leases"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    holder: Mapped[str | None] = mapped_column(String(40))
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Where the job goes on next time, in its own words.
    cursor: Mapped[str | None] = mapped_column(String(255))


class Job(Base):
    """Something to be done once, by whichever worker takes it."""

    __tablename__ = "jobs"
    __table_args__ = table_args(Index(None, "state", "next_try_at"), Index(None, "created_at", "id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(JsonText)
    state: Mapped[JobState] = mapped_column(enum_column(JobState))
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int | None] = mapped_column(Integer)
    tries: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Which worker runs it, and how long the others believe so without hearing of it.
    holder: Mapped[str | None] = mapped_column(String(40))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested: Mapped[bool] = mapped_column(Boolean)
    result: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    error: Mapped[str] = mapped_column(String(300))
    # An account's id, or the name of a job or a command, as in the audit.
    actor_kind: Mapped[ActorKind] = mapped_column(enum_column(ActorKind))
    actor_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
