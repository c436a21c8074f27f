"""Brakes: so many of one thing per subject and window, counted for all workers together."""

from collections.abc import Collection, Mapping

from server.clock import now
from server.database.session import in_transaction
from server.errors import TooMany
from server.settings import settings
from server.throttle import repository
from server.tokens import mac

DAY_S = 24 * 3600


async def hit(action: str, limits: Mapping[str, int], window_s: int) -> None:
    """Count one `action` for each subject of `limits`; raises TooMany above a subject's limit.

    Windows are fixed: a subject starts from nothing every `window_s` seconds (a day at most). Runs in a
    transaction of its own, so what was tried counts whatever becomes of the caller's work. Subjects
    ("address:…", "ip:…") are stored only as a MAC.
    """
    start = _window_start(window_s)

    async def act() -> bool:
        # In the order of the keys: two visitors of one office must not lock each other out.
        counts = {subject: await repository.count(key, start) for key, subject in _keys(action, limits)}
        return all(counts[subject] <= limit for subject, limit in limits.items())

    if not await in_transaction(act):
        raise TooMany


async def forgive(action: str, subjects: Collection[str], window_s: int) -> None:
    """Take back one `hit` of these subjects: it turned out to be honest."""
    start = _window_start(window_s)

    async def act() -> None:
        for key, _ in _keys(action, subjects):
            await repository.uncount(key, start)

    await in_transaction(act)


async def forget_old() -> None:
    """Delete the counters of windows that are over."""

    async def act() -> None:
        await repository.forget_before(int(now().timestamp()) - DAY_S)

    await in_transaction(act)


def _window_start(window_s: int) -> int:
    return int(now().timestamp()) // window_s * window_s


def _keys(action: str, subjects: Collection[str]) -> list[tuple[str, str]]:
    secret = settings().secret_key
    return sorted(
        (f"{action}:{mac(secret, 'throttle', f'{action}:{subject}')}", subject) for subject in subjects
    )
