"""The ledger: who may watch what, why, and for how long. Rows change state; none is ever deleted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database.base import Base, table_args
from server.database.types import Id, UtcDateTime, enum_column
from server.i18n import N_
from server.labels import Labeled


class ViewerRow(Base):
    """An account or a browser's order key; each shares its id with its viewer."""

    __tablename__ = "viewers"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GrantReason(Labeled):
    PURCHASE = "purchase", N_("Bought")
    GIFT = "gift", N_("Gift")
    STAFF = "staff", N_("Given by staff")


class GrantState(Labeled):
    """What is stored. *Expired* is not: it follows from `ends_at` and the clock."""

    ACTIVE = "active", N_("Active")
    SUSPENDED = "suspended", N_("Suspended")
    REVOKED = "revoked", N_("Revoked")


class ClosedBy(StrEnum):
    """Who suspended or revoked: what staff closed, a late payment event must not open again."""

    PAYMENT = "payment"
    STAFF = "staff"


class Grant(Base):
    __tablename__ = "grants"
    __table_args__ = table_args(
        UniqueConstraint("order_item_id"), Index(None, "viewer_id", "course_id"), Index(None, "course_id")
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    viewer_id: Mapped[str] = mapped_column(Id, ForeignKey("viewers.id"))
    course_id: Mapped[str] = mapped_column(Id, ForeignKey("courses.id"))
    reason: Mapped[GrantReason] = mapped_column(enum_column(GrantReason))
    state: Mapped[GrantState] = mapped_column(enum_column(GrantState), default=GrantState.ACTIVE)
    closed_by: Mapped[ClosedBy | None] = mapped_column(enum_column(ClosedBy))
    order_item_id: Mapped[str | None] = mapped_column(Id, ForeignKey("order_items.id"))
    given_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(String(500), default="")
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
