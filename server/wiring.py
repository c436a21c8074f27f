"""What a process of ours stands on, with pages or without, and the lists that a new domain joins.

What Stripe tells, what is done once and what repeats stand here; pages stand in app.py.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.accounts import service as accounts
from server.checkout import recounting, subscriptions, sweep
from server.database import schema  # noqa: F401 - all tables: a foreign key may name any of them
from server.database.engine import opened as open_database
from server.database.session import Sessions
from server.integrations import gateways
from server.jobs import service as jobs
from server.jobs import worker as jobs_worker
from server.jobs.leases import Hold
from server.jobs.recurring import EveryWorker, OncePerSite, Recurring
from server.mail import worker as mail_worker
from server.playback import service as playback
from server.settings import Settings, settings
from server.stripe_events import service as stripe_events
from server.throttle import service as throttle

# What is asked of Stripe's events; `playbill doctor` compares it with the endpoint there.
STRIPE_EVENTS = (*subscriptions.SUBSCRIPTIONS,)
# What is done once, when somebody asks for it.
JOBS = (recounting.RECOUNT,)


def connect_domains() -> None:
    """Tell the domains below of those above, which they may not import."""
    stripe_events.subscribe(STRIPE_EVENTS)
    jobs.register(JOBS)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Sessions]:
    """What the site stands on, without the site: for as long as a command runs."""
    connect_domains()
    async with open_database(settings.database_url) as sessions, gateways.opened(settings):
        yield sessions


async def tidy(_: Hold) -> None:
    """Count sales; forget what nobody needs: expired sign-ins and links, old counters, previews and jobs."""
    await recounting.recount_sales()
    await accounts.forget_expired()
    await throttle.forget_old()
    await playback.forget_previews()
    await jobs.forget_old()


def recurring() -> tuple[Recurring, ...]:
    """What repeats beside the requests, in every worker or in one of the whole site at a time."""
    return (
        sweep.repeated(),
        EveryWorker("mail", mail_worker.send_waiting, every_s=settings().outbox_interval_s),
        EveryWorker("jobs", jobs_worker.run_waiting, every_s=settings().jobs_interval_s),
        OncePerSite("tidy", tidy, every_s=3600.0),
    )
