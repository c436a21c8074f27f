"""A row of the outbox as an Internet message (RFC 5322)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from server.mail.records import HeldMail
from server.settings import settings

# Korean in base64: not every mail server on the way is known to take 8 bits.
POLICY = SMTP.clone(cte_type="7bit")


def sender() -> str:
    """The address of MAIL_FROM, without the name: the envelope's sender."""
    return parseaddr(settings().mail_from)[1]


def as_bytes(mail: HeldMail) -> bytes:
    name, address = parseaddr(settings().mail_from)
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    # Made of the row: if staff send an uncertain mail again, a reader's mailbox can tell that it is the same.
    message["Message-ID"] = f"<{mail.id}@{address.rpartition('@')[2]}>"
    if settings().business_email:
        message["Reply-To"] = Address(addr_spec=settings().business_email)
    message["Auto-Submitted"] = "auto-generated"  # no holiday notes, please (RFC 3834)
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message.as_bytes()
