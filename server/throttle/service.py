"""Brakes: so many of one thing per subject and window, counted for all workers together."""

from collections.abc import Mapping

from server.clock import now
from server.database.session import in_transaction
from server.errors import TooMany
from server.settings import settings
from server.throttle import repository
from server.tokens import mac

DAY_S = 24 * 3600


async def hit(action: str, limits: Mapping[str, int], window_s: int) -> None:
    """Count one `action` for each subject of `limits`; raises TooMany above a subject's limit.

    The smallest limit is the narrowest subject and counts first. What one subject is refused does not count
    for those after it: one browser must not use up what its whole network may do.

    Windows are fixed: a subject starts from nothing every `window_s` seconds (a day at most). Runs in a
    transaction of its own, so what was tried counts whatever becomes of the caller's work. Subjects
    ("address:…", "ip:…") are stored only as a MAC.
    """
    if not await in_transaction(_count, _keys(action, limits), _window_start(window_s)):
        raise TooMany


async def _count(keys: Mapping[str, int], window_start: int) -> bool:
    # Everybody's narrow rows before anybody's broad ones: two visitors cannot wait for each other.
    for key, limit in keys.items():
        if await repository.count(key, window_start) > limit:
            return False
    return True


async def forgive(action: str, limits: Mapping[str, int], window_s: int) -> None:
    """Take back one `hit` of these subjects: it turned out to be honest."""
    await in_transaction(_uncount, _keys(action, limits), _window_start(window_s))


async def _uncount(keys: Mapping[str, int], window_start: int) -> None:
    for key in keys:
        await repository.uncount(key, window_start)


async def forget_old() -> None:
    """Delete the counters of windows that are over."""
    await in_transaction(repository.forget_before, int(now().timestamp()) - DAY_S)


def _window_start(window_s: int) -> int:
    return int(now().timestamp()) // window_s * window_s


def _keys(action: str, limits: Mapping[str, int]) -> dict[str, int]:
    """What the subjects are stored under, the narrowest first."""
    secret = settings().secret_key
    return {
        f"{action}:{mac(secret, 'throttle', f'{action}:{subject}')}": limit
        for subject, limit in sorted(limits.items(), key=lambda one: one[1])
    }
