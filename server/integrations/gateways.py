"""The third parties of this site, behind one value that whoever starts the process opens and closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.integrations.kollus import KollusClient
from server.integrations.smtp import SmtpGateway
from server.integrations.stripe import StripeGateway
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Gateways:
    stripe: StripeGateway
    smtp: SmtpGateway
    kollus: KollusClient


_opened: Gateways | None = None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[None]:
    """For as long as the site or a command runs; their HTTP client belongs to the event loop that runs now.

    Opened within another such context, these are asked until it is left.
    """
    global _opened  # noqa: PLW0603 - one process speaks for one site
    outer = _opened
    _opened = Gateways(
        stripe=StripeGateway(settings),
        smtp=SmtpGateway(settings.smtp_url, urlsplit(settings.public_url).hostname or "localhost"),
        kollus=KollusClient(settings),
    )
    try:
        yield
    finally:
        await _opened.stripe.close()
        _opened = outer


def gateways() -> Gateways:
    assert _opened is not None, "nobody has opened the gateways"
    return _opened
