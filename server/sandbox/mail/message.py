"""One message that came, decoded for people and tests."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Message:
    """`to` are the envelope's recipients; `text` and `html` are empty where the message has no such part."""

    to: str
    subject: str
    text: str
    html: str
    at: str

    def as_json(self) -> dict[str, str]:
        return {"to": self.to, "subject": self.subject, "text": self.text, "html": self.html, "at": self.at}


def read_message(raw: bytes, recipients: list[str], at: str) -> Message:
    """Decode headers and bodies, whatever their encoding. `at`: when it came, ISO 8601."""
    parsed = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    return Message(
        to=", ".join(recipients),
        subject=str(parsed.get("subject", "")),
        text=_body(parsed, "plain"),
        html=_body(parsed, "html"),
        at=at,
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""
