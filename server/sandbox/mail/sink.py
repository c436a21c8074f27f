"""The SMTP side: accepts every message, or fails in the way that a test of the sender asks for."""

from datetime import UTC, datetime
from typing import Literal, get_args

from aiosmtpd.smtp import SMTP, Envelope, Session

from .message import Message, read_message

# "4xx" and "5xx" refuse the recipient for now or for good; "drop" hangs up before the message;
# "drop_after_data" hangs up when the message has been taken, so that the sender cannot know.
Failure = Literal["4xx", "5xx", "drop", "drop_after_data"]
FAILURES: tuple[Failure, ...] = get_args(Failure)
_REFUSALS = {"4xx": "451 4.3.0 Try again later", "5xx": "550 5.1.1 No such mailbox"}


class Sink:
    """Handler of an aiosmtpd server; keeps the messages in the order in which they came."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.failure: Failure | None = None

    # the names are aiosmtpd's
    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.failure == "drop":
            _hang_up(server)
        if self.failure in _REFUSALS:
            return _REFUSALS[self.failure]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        at = datetime.now(UTC).isoformat()
        recipients = [address for address in envelope.rcpt_tos if address]
        self.messages.append(read_message(envelope.original_content or b"", recipients, at))
        if self.failure == "drop_after_data":
            _hang_up(server)
        return "250 OK"


def _hang_up(server: SMTP) -> None:
    if server.transport:
        server.transport.close()
    # ends aiosmtpd's conversation at once: it would go on to write the answer into the closed connection
    raise ConnectionResetError("the sink hangs up, as it was told to")
