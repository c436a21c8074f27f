"""What staff are told of a mail in trouble."""

import pytest

from server.admin.alerts import wording
from server.clock import now
from server.i18n import in_locale
from server.mail.models import MailState
from server.mail.records import MailRecord


def mail(state: MailState, error: str) -> MailRecord:
    return MailRecord(
        id="0123456789abcdef",
        once_key="test",
        recipient="reader@mail.example",
        subject="Hello",
        state=state,
        tries=8,
        next_try_at=now(),
        last_error=error,
        created_at=now(),
        sent_at=None,
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("550 5.1.1 No such user here", "refuses this address."),
        ("553 unknown", "refuses this address."),
        ("the address is not ASCII", "refuses this address."),
        ("550 5.7.1 Looks like spam", "refuses its content."),
        ("554 no", "refuses its content."),
        ("535 5.7.8 Authentication failed", "does not let us log in."),
        ("451 4.7.1 Come back later", "put it off at every try."),
        ("SMTPConnectError: Error connecting to mail.example on port 25", "could not be reached."),
        ("Every try ended with its worker.", "was not accepted."),
    ],
)
def test_a_failed_mail_says_why_in_plain_words(error: str, reason: str) -> None:
    told = wording.of_mail(mail(MailState.FAILED, error))

    assert told.message.endswith(reason)
    assert told.detail == error


def test_what_a_server_said_stands_in_no_korean_sentence() -> None:
    with in_locale("ko"):
        for state in (MailState.FAILED, MailState.UNCERTAIN):
            told = wording.of_mail(mail(state, "SMTPTimeoutError: Timed out"))
            assert "Timed out" not in told.message
            assert told.detail == "SMTPTimeoutError: Timed out"
