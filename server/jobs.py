"""Runs beside the requests in every worker: the sweep (one worker at a time), the mail worker, tidying up."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from sanic import Sanic

from server.accounts import service as accounts
from server.checkout import service as checkout
from server.checkout import sweep
from server.database.outage import is_outage
from server.database.session import session_scope
from server.errors import PlaybillError
from server.mail import worker
from server.playback import service as playback
from server.throttle import service as throttle

END_WITHIN_S = 3.0

log = logging.getLogger("playbill.jobs")


def setup_jobs(app: Sanic[Any, Any]) -> None:
    @app.after_server_start
    async def start(app: Sanic[Any, Any]) -> None:
        # Held here: a task that nobody holds can be garbage-collected half-way.
        app.ctx.jobs = [
            asyncio.create_task(_repeat(app, name, act, every_s), name=name) for name, act, every_s in JOBS
        ]

    @app.before_server_stop
    async def stop(app: Sanic[Any, Any]) -> None:
        for job in app.ctx.jobs:
            job.cancel()
        # Not for ever: a library that swallows the cancellation must not hold up the end of the process.
        await asyncio.wait(app.ctx.jobs, timeout=END_WITHIN_S)


async def tidy() -> None:
    """Count sales; forget what nobody needs: expired sign-ins and links, old counters and previews."""
    await checkout.recount_sales()
    await accounts.forget_expired()
    await throttle.forget_old()
    await playback.forget_previews()


# Name, act, seconds between two runs.
JOBS: list[tuple[str, Callable[[], Awaitable[object]], float]] = [
    ("sweep", sweep.run, 20.0),
    ("mail", worker.send_waiting, 2.0),
    ("tidy", tidy, 3600.0),
]


async def _repeat(
    app: Sanic[Any, Any], name: str, act: Callable[[], Awaitable[object]], every_s: float
) -> None:
    """Run `act` now and then every `every_s` seconds, each time in a session of its own."""
    while True:
        try:
            async with session_scope(app.ctx.sessions):
                await act()
        except Exception as error:
            # The job must outlive a bad day of the database or of a third party.
            if is_outage(error):
                log.warning("%s: database unavailable: %s", name, error)
            elif isinstance(error, PlaybillError):
                log.warning("%s: %s", name, type(error).__name__)  # a third party is away
            else:
                log.exception("%s failed", name)
        await asyncio.sleep(every_s * random.uniform(0.9, 1.1))  # noqa: S311 - workers drift apart
