"""`playbill doctor`: is everything there that the site needs?"""

import time
from dataclasses import dataclass

from server.checkout import service as checkout
from server.database.health import Writes, forgets_commits
from server.database.migrations import is_current
from server.database.outage import is_outage
from server.database.session import release, session_scope
from server.demo.people import people_here
from server.errors import PlaybillError
from server.integrations import smtp, stripe
from server.integrations.gateways import gateways
from server.integrations.stripe_facts import WebhookEndpoint
from server.settings import Settings
from server.stripe_events import service as stripe_events
from server.wiring import opened

SECONDS_A_CLOCK_MAY_BE_OFF = 120
EVERY_TYPE = "*"
FORGETS = (
    "a power cut may take back the last second, orders with it that were paid: "
    "set innodb_flush_log_at_trx_commit=1 in MariaDB's configuration"
)


@dataclass(frozen=True)
class Finding:
    what: str
    fine: bool
    text: str


async def examine(settings: Settings) -> list[Finding]:
    """Each finding stands by itself: one failure does not hide the next."""
    findings = [Finding("settings", True, f"{settings.mode} mode, {settings.public_url}")]
    async with opened(settings) as sessions:
        async with session_scope(sessions):
            findings += await _database(settings)
            await release()
            findings += await _stripe(settings)
        findings.append(await _mail())
    return findings


async def _database(settings: Settings) -> list[Finding]:
    try:
        if not await is_current():
            return [Finding("database", False, "migrations are missing: run `playbill migrate`")]
        forgets = await forgets_commits()
        takes_writes = await Writes().are_taken()
        left_out = await checkout.count_paid_without_access()
        demo = await people_here() if settings.is_live else []
    except Exception as error:
        if not is_outage(error):
            raise
        return [Finding("database", False, f"does not answer: {type(error).__name__}")]
    if not takes_writes:
        return [Finding("database", False, "takes no writes: is its disk full, or is it read-only?")]
    return [
        Finding("database", True, "answers, has every migration, and takes writes"),
        Finding("commits", not forgets, FORGETS if forgets else "are on the disk when they are done"),
        Finding("paid without access", left_out == 0, str(left_out)),
        *[Finding("demo", False, f"{email} may sign in: live mode refuses to start") for email in demo],
    ]


async def _stripe(settings: Settings) -> list[Finding]:
    try:
        newest = await gateways().stripe.newest_event_created()
        endpoints = await gateways().stripe.webhook_endpoints()
    except PlaybillError as error:
        return [Finding("stripe", False, f"{type(error).__name__}: {error.__cause__ or error}")]
    slow = newest - time.time() > SECONDS_A_CLOCK_MAY_BE_OFF
    told = "its newest event lies in our future: this machine's clock is slow"
    return [
        Finding("stripe", not slow, told if slow else f"answers, version {stripe.API_VERSION}"),
        _webhook(f"{settings.public_url}/webhooks/stripe", endpoints),
    ]


def _webhook(url: str, endpoints: list[WebhookEndpoint]) -> Finding:
    """Whether Stripe posts to us what we ask for: what it does not, the sweep alone would find."""
    wanted = set(stripe_events.types())
    ours = [one for one in endpoints if one.url.rstrip("/") == url]
    if not any(one.is_enabled for one in ours):
        told = "is switched off" if ours else f"is missing: make one for {', '.join(sorted(wanted))}"
        return Finding("webhook", False, f"the endpoint {url} at Stripe {told}")
    told_of = frozenset[str]().union(*(one.types for one in ours if one.is_enabled))
    if EVERY_TYPE in told_of:
        return Finding("webhook", True, f"told of every type of event; {len(wanted)} of them are used")
    if missing := sorted(wanted - told_of):
        return Finding("webhook", False, f"not told of {', '.join(missing)}: add them at Stripe")
    superfluous = sorted(told_of - wanted)
    note = f"; nothing here uses {', '.join(superfluous)}" if superfluous else ""
    return Finding("webhook", True, f"told of every type that is used{note}")


async def _mail() -> Finding:
    try:
        await gateways().smtp.greet()
    except smtp.ServerAway as error:
        return Finding("mail", False, str(error))
    return Finding("mail", True, "the mail server lets us in")
