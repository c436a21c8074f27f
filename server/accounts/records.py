"""What accounts are told as. A password hash never leaves the repository in one of these."""

from dataclasses import dataclass, field
from datetime import datetime

from server.accounts.browsers import browser_name
from server.accounts.models import Role
from server.database.records import Record


class AccountRecord(Record):
    id: str
    email: str
    email_key: str
    email_proven_at: datetime | None
    name: str
    role: Role
    locale: str | None
    created_at: datetime

    @property
    def called(self) -> str:
        """By their name; who has given none, by the address."""
        return self.name or self.email

    @property
    def is_proven(self) -> bool:
        return self.email_proven_at is not None

    @property
    def is_staff(self) -> bool:
        return self.role.is_staff

    @property
    def is_support(self) -> bool:
        return self.role.is_support

    @property
    def is_editor(self) -> bool:
        return self.role.is_editor

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


class SignInRecord(Record):
    id: str
    token_hash: str
    user_id: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user: AccountRecord

    @property
    def browser(self) -> str:
        return browser_name(self.user_agent)


class LinkRecord(Record):
    id: str
    email: str
    email_key: str
    next: str
    expires_at: datetime
    used_at: datetime | None

    def is_good(self, at: datetime) -> bool:
        return self.used_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against; only for the service, which checks it and lets it go."""

    user_id: str
    is_proven: bool
    password_hash: str | None = field(repr=False)
