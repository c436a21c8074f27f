"""The only SQL on counters."""

from sqlalchemy import delete, select, update

from server.database.session import current_session
from server.database.write import changed, upsert
from server.throttle.models import ThrottleCounter


async def count(key: str, window_start: int) -> int:
    """Count one more and return how many there are in this window."""
    await upsert(
        ThrottleCounter,
        {"key": key, "window_start": window_start},
        {"count": ThrottleCounter.count + 1},
        only_new={"count": 1},
    )
    found = await current_session().scalar(
        select(ThrottleCounter.count).where(
            ThrottleCounter.key == key, ThrottleCounter.window_start == window_start
        )
    )
    return found or 0


async def uncount(key: str, window_start: int) -> None:
    await changed(
        update(ThrottleCounter)
        .where(
            ThrottleCounter.key == key,
            ThrottleCounter.window_start == window_start,
            ThrottleCounter.count > 0,
        )
        .values(count=ThrottleCounter.count - 1)
    )


async def forget_before(window_start: int) -> None:
    await changed(delete(ThrottleCounter).where(ThrottleCounter.window_start < window_start))
