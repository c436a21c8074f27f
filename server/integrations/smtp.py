"""The mail server, behind one plain method. No SQL and no Sanic here.

`SMTP_URL`: `smtp://host:25` (encrypted where the server offers it), `smtps://host:465` (TLS from the
start) or `smtp+starttls://host:587` (encrypted or not at all; `smtp://host:587?starttls=1` means the same),
each with `user:password@` where the server asks for it.
"""

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPResponseException

from server.database.session import forbid_held_connection
from server.settings_checks import encrypts_mail, is_this_machine

TIMEOUT_S = 10.0
GOODBYE_TIMEOUT_S = 2.0
# The receiving server may scan a message before it answers. Hanging up on it would leave us not knowing
# whether the mail went out.
ANSWER_TIMEOUT_S = 60.0
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class SmtpTrouble(Exception):
    """`str()` is what the server said, and may quote the recipient; `brief` is what a log may keep of it."""

    def __init__(self, told: str, brief: str = "") -> None:
        super().__init__(told)
        self.brief = brief


class NotAccepted(SmtpTrouble):
    """The message was certainly not taken, but may be later: a 4xx, no connection, a failed log-in."""


class ServerAway(NotAccepted):
    """There was no talking to the server, or it took nothing from us: the next message will meet the same."""


class Refused(SmtpTrouble):
    """The server will never take this message (5xx to the recipient or to the content)."""


class AnswerLost(SmtpTrouble):
    """The content was handed over and no answer came: it may have been delivered or not."""


class SmtpGateway:
    def __init__(self, url: str, local_host: str) -> None:
        """`local_host` is how we introduce ourselves (EHLO): a host name or an IP address."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(
                "PLAYBILL_SMTP_URL is not of the form smtp[s|+starttls]://[user:password@]host[:port]"
            )
        self._host = parts.hostname
        self._port = parts.port or PORTS[parts.scheme]
        self._use_tls = parts.scheme == "smtps"
        # None: if the server offers it. What must be encrypted fails where it is not offered.
        self._start_tls = None if self._use_tls or not encrypts_mail(url) else True
        # A mail server on this machine has a certificate that it made itself, and nobody in between.
        self.trusts_any_certificate = is_this_machine(parts.hostname)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._local_host = _as_domain(local_host)

    async def send(
        self, sender: str, recipient: str, message: bytes, before_data: Callable[[], Awaitable[None]]
    ) -> None:
        """Hand over one message; returns when the server has taken it (250).

        `before_data` is awaited when the server has accepted sender and recipient, right before the
        content: what it records is true from then on, and what it raises stops the delivery.
        Raises NotAccepted, ServerAway, Refused or AnswerLost (RFC 5321, section 4.2: 4yz is transient, 5yz
        permanent). A 5xx to the greeting, the log-in or the sender is our configuration's fault, not
        the message's, and so is ServerAway.
        """
        forbid_held_connection()
        async with self._connected() as server:
            await self._envelope(server, sender, recipient)
            await before_data()
            await self._content(server, message)

    async def greet(self) -> None:
        """Connect, encrypt and log in as for a message, and leave; raises ServerAway."""
        forbid_held_connection()
        async with self._connected():
            pass

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        server = SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._use_tls,
            start_tls=self._start_tls,
            validate_certs=not self.trusts_any_certificate,
            username=self._username,
            password=self._password,
            # Otherwise the library asks the resolver for our name, which may take its time.
            local_hostname=self._local_host,
            timeout=TIMEOUT_S,
        )
        try:
            await server.connect()
        except (SMTPException, OSError) as error:
            raise _trouble(ServerAway, error) from error
        try:
            yield server
        finally:
            # Manners only: what was taken stays taken, whatever becomes of the QUIT.
            with suppress(SMTPException, OSError):
                await server.quit(timeout=GOODBYE_TIMEOUT_S)
            server.close()

    async def _envelope(self, server: SMTP, sender: str, recipient: str) -> None:
        try:
            await server.mail(sender)
            await server.rcpt(recipient)
        except SMTPRecipientRefused as error:
            raise _refusal(error) from error
        except UnicodeEncodeError as error:
            raise Refused("the address is not ASCII", type(error).__name__) from error
        except (SMTPException, OSError) as error:
            raise _trouble(ServerAway, error) from error

    async def _content(self, server: SMTP, message: bytes) -> None:
        try:
            await server.data(message, timeout=ANSWER_TIMEOUT_S)
        except SMTPDataError as error:
            raise _refusal(error) from error
        except (SMTPException, OSError) as error:
            raise _trouble(AnswerLost, error) from error


def _refusal(error: SMTPResponseException) -> SmtpTrouble:
    return _trouble(Refused if 500 <= error.code < 600 else NotAccepted, error)


def _trouble(kind: type[SmtpTrouble], error: Exception) -> SmtpTrouble:
    if isinstance(error, SMTPResponseException):
        return kind(f"{error.code} {error.message}", str(error.code))
    return kind(f"{type(error).__name__}: {error}", type(error).__name__)


def _as_domain(host: str) -> str:
    """An address literal stands in brackets (RFC 5321, section 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"
