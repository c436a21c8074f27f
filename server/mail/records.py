"""What the outbox is told as."""

from datetime import datetime

from server.database.records import Record
from server.mail.models import MailState


class MailRecord(Record):
    id: str
    once_key: str
    recipient: str
    subject: str
    state: MailState
    tries: int
    next_try_at: datetime
    last_error: str
    created_at: datetime
    sent_at: datetime | None


class HeldMail(MailRecord):
    """A mail that this worker has in hand, with its content."""

    text: str
    html: str
    held_until: datetime
