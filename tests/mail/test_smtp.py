"""The gateway to the mail server: who is asked, how it logs in, what it makes of refusals."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from server.database.session import TransactionMisuse, transaction
from server.integrations.smtp import AnswerLost, NotAccepted, ServerAway, SmtpGateway

# Made for these tests, by nobody whom anybody trusts.
CERTIFICATE = Path(__file__).parent.parent / "data" / "localhost.pem"
MESSAGE = b"Subject: Hello\r\n\r\n.a line that begins with a period\r\n"


@dataclass
class Server:
    """A mail server that wants a log-in; answers to RCPT and to the content with what a test puts here."""

    port: int = 0
    sender_answer: str = "250 OK"
    recipient_answer: str = "250 OK"
    content_answer: str = "250 OK"
    contents: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_MAIL(  # the names are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender_answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 Log in first"
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.contents.append(envelope.original_content or b"")
        self.encrypted.append(session.ssl is not None)
        return self.content_answer

    def url(self, password: str = "p%40ss%2Fword") -> str:
        return f"smtp://shop%40mail.example:{password}@127.0.0.1:{self.port}"


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    known = (given.login, given.password) == (b"shop@mail.example", b"p@ss/word")
    return AuthResult(success=known, handled=False)  # the server is to say so itself


@asynccontextmanager
async def _serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    made = Server()
    protocol = partial(
        SMTP,
        made,
        hostname="localhost",
        tls_context=tls,
        auth_require_tls=tls is not None,
        authenticator=_authenticate,
    )
    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with _serving() as made:
        yield made


async def send(url: str, before: list[str] | None = None) -> None:
    async def note() -> None:
        if before is not None:
            before.append("before data")

    await SmtpGateway(url, "127.0.0.1").send("shop@mail.example", "reader@mail.example", MESSAGE, note)


async def test_message_arrives_as_it_was_after_logging_in(server: Server) -> None:
    before: list[str] = []

    await send(server.url(), before)

    assert server.contents == [MESSAGE]
    assert before == ["before data"]


async def test_wrong_password_is_our_trouble_and_not_the_mails(server: Server) -> None:
    with pytest.raises(ServerAway, match="535"):
        await send(server.url("wrong"))

    assert server.contents == []


async def test_nothing_is_recorded_before_the_recipient_is_accepted(server: Server) -> None:
    server.recipient_answer = "450 busy"
    before: list[str] = []

    with pytest.raises(NotAccepted, match="450 busy"):
        await send(server.url(), before)

    assert before == []


async def test_temporary_refusal_of_the_content_is_certain(server: Server) -> None:
    server.content_answer = "452 full"

    with pytest.raises(NotAccepted, match="452 full"):
        await send(server.url())


async def test_what_before_data_raises_stops_the_delivery(server: Server) -> None:
    async def stop() -> None:
        raise AnswerLost("no")

    with pytest.raises(AnswerLost):
        await SmtpGateway(server.url(), "localhost").send("a@mail.example", "b@mail.example", MESSAGE, stop)

    assert server.contents == []


async def test_server_without_starttls_is_not_talked_to_if_starttls_is_demanded(server: Server) -> None:
    for url in (server.url().replace("smtp:", "smtp+starttls:"), f"{server.url()}?starttls=1"):
        with pytest.raises(ServerAway):
            await send(url)


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
async def test_what_can_be_encrypted_is_encrypted(scheme: str) -> None:
    """Also by a certificate that nobody vouches for, on this machine: there is nobody in between."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(CERTIFICATE)
    async with _serving(tls) as server:
        await send(server.url().replace("smtp:", f"{scheme}:"))

    assert server.encrypted == [True]


async def test_no_password_goes_unencrypted_to_a_server_that_offers_to_encrypt() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            heard.append(line.split()[0])
            offers = line.startswith(b"EHLO")
            writer.write(b"250-me\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n" if offers else b"454 not now\r\n")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        with pytest.raises(ServerAway):
            await send(Server(listening.sockets[0].getsockname()[1]).url())

    assert heard[:2] == [b"EHLO", b"STARTTLS"]
    assert b"AUTH" not in heard


async def test_a_certificate_of_nobody_is_good_for_no_other_machine() -> None:
    assert SmtpGateway("smtp://127.0.0.1", "localhost").trusts_any_certificate
    assert not SmtpGateway("smtp://mail.example", "localhost").trusts_any_certificate


async def test_a_refused_sender_is_our_trouble_and_not_the_mails(server: Server) -> None:
    server.sender_answer = "550 who are you"

    with pytest.raises(ServerAway, match="550 who are you"):
        await send(server.url())


async def test_what_a_log_may_keep_of_a_refusal_quotes_nobody(server: Server) -> None:
    server.recipient_answer = "450 <reader@mail.example> is busy"

    with pytest.raises(NotAccepted) as raised:
        await send(server.url())

    assert "reader@mail.example" in str(raised.value)
    assert raised.value.brief == "450"


async def test_no_mail_is_sent_while_a_transaction_is_open(server: Server, session: None) -> None:
    async with transaction():
        with pytest.raises(TransactionMisuse):
            await send(server.url())


@pytest.mark.parametrize("url", ["", "localhost:25", "http://localhost", "smtp://"])
def test_what_is_no_address_of_a_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="PLAYBILL_SMTP_URL"):
        SmtpGateway(url, "localhost")
