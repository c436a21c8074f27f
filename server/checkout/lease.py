"""The sweep's lease: one worker of one machine sweeps at a time, and a killed one is soon succeeded."""

import os
import secrets
from datetime import timedelta

from server.checkout import repository
from server.clock import now
from server.database.session import in_transaction

# Longer than one call to Stripe with its retries usually takes, shorter than anybody should wait for a
# purchase after the sweeping worker was killed. Two sweeps at once would do no harm.
TERM = timedelta(seconds=20)
ME = f"{os.getpid()}-{secrets.token_hex(4)}"


async def acquire(*, even_in_pause: bool) -> bool:
    return await in_transaction(
        lambda: repository.hold_sweep(ME, at := now(), at + TERM, even_in_pause=even_in_pause)
    )


async def renew() -> None:
    await in_transaction(lambda: repository.change_sweep(ME, held_until=now() + TERM))


async def release(pause: timedelta) -> None:
    """Free, but nobody needs to sweep again before the pause is over."""
    await in_transaction(lambda: repository.change_sweep(ME, holder=None, held_until=now() + pause))


async def move_cursor(created: int) -> None:
    await in_transaction(lambda: repository.change_sweep(ME, events_read_until=created))
