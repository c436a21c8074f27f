"""What the ledger tells."""

from dataclasses import dataclass
from datetime import datetime

from server.access.models import ClosedBy, GrantReason, GrantState
from server.database.records import Record
from server.i18n import N_
from server.labels import Labeled


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is watching: a signed-in account, the order key that this browser holds, both, or neither."""

    account_id: str | None = None
    order_key_id: str | None = None

    @classmethod
    def of(cls, viewer_id: str | None) -> "Viewer":
        """Whoever has this viewer id, be it an account's or an order key's; None: nobody."""
        return cls(account_id=viewer_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Viewer ids, the account's first."""
        return tuple(one for one in (self.account_id, self.order_key_id) if one)


class Standing(Labeled):
    """How a grant stands at a moment: what is stored of it, and what the clock makes of that."""

    ACTIVE = GrantState.ACTIVE.value, GrantState.ACTIVE.label
    UPCOMING = "upcoming", N_("Not yet")
    EXPIRED = "expired", N_("Expired")
    SUSPENDED = GrantState.SUSPENDED.value, GrantState.SUSPENDED.label
    REVOKED = GrantState.REVOKED.value, GrantState.REVOKED.label


class GrantRecord(Record):
    id: str
    viewer_id: str
    course_id: str
    reason: GrantReason
    state: GrantState
    closed_by: ClosedBy | None
    order_item_id: str | None
    given_by: str | None
    note: str
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime

    def is_open(self, at: datetime) -> bool:
        return (
            self.state is GrantState.ACTIVE
            and self.starts_at <= at
            and (self.ends_at is None or at < self.ends_at)
        )

    def standing(self, at: datetime) -> Standing:
        if self.state is not GrantState.ACTIVE:
            return Standing(self.state.value)
        if at < self.starts_at:
            return Standing.UPCOMING
        return Standing.ACTIVE if self.is_open(at) else Standing.EXPIRED


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer to "may she watch this?": yes or no, and by which reason."""

    allowed: bool
    grant: GrantRecord | None = None
    is_preview: bool = False

    @property
    def until(self) -> datetime | None:
        """When the answer turns into no; None: never by itself."""
        return self.grant.ends_at if self.grant else None
