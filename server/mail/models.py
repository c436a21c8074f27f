"""The outbox: a mail is a row, written in the same transaction as what it tells about."""

from datetime import datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database.base import Base, table_args
from server.database.types import Id, LongText, UtcDateTime, email_column, enum_column
from server.i18n import N_
from server.labels import Labeled


class MailState(Labeled):
    WAITING = "waiting", N_("Waiting")
    SENDING = "sending", N_("Sending")  # handed to the mail server, its answer not yet recorded
    SENT = "sent", N_("Sent")
    FAILED = "failed", N_("Failed")
    UNCERTAIN = "uncertain", N_("Unclear")  # the connection or the process died between the two
    DROPPED = "dropped", N_("Not sent")  # staff decided that it need not go out (any more)


class Mail(Base):
    __tablename__ = "mails"
    __table_args__ = table_args(UniqueConstraint("once_key"), Index(None, "state", "next_try_at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    # What it tells about ("receipt:<order id>"): the same thing is told once.
    once_key: Mapped[str] = mapped_column(String(120))
    recipient: Mapped[str] = mapped_column(email_column())
    subject: Mapped[str] = mapped_column(String(300))
    # Both are emptied once nothing more will be sent: a mailed link must not lie about in the database.
    text: Mapped[str] = mapped_column(LongText)
    html: Mapped[str] = mapped_column(LongText)
    state: Mapped[MailState] = mapped_column(enum_column(MailState), default=MailState.WAITING)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    # The lease of the worker that has it in hand; its exact value tells that worker from the next one.
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
