"""A counter row for tests that need something to write: `throttle_counters` depends on no other table."""

from sqlalchemy import select, update

from server.database.session import current_session
from server.database.write import insert_once
from server.throttle.models import ThrottleCounter


async def add_counter(key: str, count: int = 0) -> bool:
    return await insert_once(ThrottleCounter, {"key": key, "window_start": 0, "count": count})


async def add_one(key: str) -> None:
    await current_session().execute(
        update(ThrottleCounter)
        .where(ThrottleCounter.key == key)
        .values(count=ThrottleCounter.count + 1)
        .execution_options(synchronize_session=False)
    )


async def counters() -> dict[str, int]:
    """Every counter as committed."""
    await current_session().reset()
    rows = await current_session().execute(select(ThrottleCounter.key, ThrottleCounter.count))
    return dict(rows.all())
