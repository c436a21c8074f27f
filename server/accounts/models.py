"""Tables of people: accounts, their sign-ins, the links that are mailed to them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database.base import Base, table_args
from server.database.types import Id, TokenHash, UtcDateTime, email_column, enum_column
from server.i18n import N_
from server.labels import Labeled


class Role(Labeled):
    VIEWER = "viewer", N_("Viewer")
    EDITOR = "editor", N_("Editor")
    SUPPORT = "support", N_("Support")
    ADMIN = "admin", N_("Admin")

    @property
    def is_staff(self) -> bool:
        return self is not Role.VIEWER

    @property
    def is_support(self) -> bool:
        return self in (Role.SUPPORT, Role.ADMIN)

    @property
    def is_editor(self) -> bool:
        return self in (Role.EDITOR, Role.ADMIN)


class User(Base):
    __tablename__ = "users"
    __table_args__ = table_args(UniqueConstraint("email_key"), Index(None, "created_at", "id"))

    # An account *is* a viewer: the same id stands in the ledger of grants and in progress.
    id: Mapped[str] = mapped_column(Id, ForeignKey("viewers.id"), primary_key=True)
    email: Mapped[str] = mapped_column(email_column())
    email_key: Mapped[str] = mapped_column(email_column())
    email_proven_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(String(100), default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(enum_column(Role), default=Role.VIEWER)
    locale: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignIn(Base):
    """A browser that is signed in: the cookie holds a random token, the row its hash."""

    __tablename__ = "sign_ins"
    __table_args__ = table_args(
        UniqueConstraint("token_hash"), Index(None, "user_id"), Index(None, "expires_at")
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(TokenHash)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship(lazy="raise")


class SignInLink(Base):
    """A link by mail; following it proves the address. It names an address, not an account."""

    __tablename__ = "sign_in_links"
    __table_args__ = table_args(UniqueConstraint("token_hash"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(TokenHash)
    email: Mapped[str] = mapped_column(email_column())
    email_key: Mapped[str] = mapped_column(email_column())
    next: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
