"""Whose turn the sweep is, across workers and machines, and how far Stripe's events have been read."""

import os
import secrets
from datetime import timedelta

from sqlalchemy import or_, select, update

from server.checkout.models import SweepState
from server.clock import now
from server.database.session import current_session, in_transaction
from server.database.write import insert_once

NAME = "sweep"
# Longer than one call to Stripe with its retries usually takes, shorter than anybody should wait for a
# purchase after the sweeping worker was killed. Two sweeps at once would do no harm.
TURN = timedelta(seconds=20)
ME = f"{os.getpid()}-{secrets.token_hex(4)}"


async def take(*, at_once: bool) -> bool:
    async def act() -> bool:
        at = now()
        await insert_once(SweepState, {"name": NAME, "events_read_until": None})
        free = [SweepState.held_until.is_(None), SweepState.held_until <= at]
        if at_once:
            free.append(SweepState.holder.is_(None))  # pausing, not sweeping
        taken = await current_session().execute(
            update(SweepState)
            .where(SweepState.name == NAME, or_(*free))
            .values(holder=ME, held_until=at + TURN)
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]

    return await in_transaction(act)


async def renew() -> None:
    await in_transaction(lambda: _change(held_until=now() + TURN))


async def end(pause: timedelta) -> None:
    """Free, but nobody needs to sweep again before the pause is over."""
    await in_transaction(lambda: _change(holder=None, held_until=now() + pause))


async def events_cursor() -> int | None:
    """Stripe's time (unix seconds) up to which its events have been taken; None: never read."""
    return await current_session().scalar(select(SweepState.events_read_until).where(SweepState.name == NAME))


async def move_cursor(created: int) -> None:
    await in_transaction(lambda: _change(events_read_until=created))


async def _change(**values: object) -> None:
    await current_session().execute(
        update(SweepState).where(SweepState.name == NAME, SweepState.holder == ME).values(**values)
    )
