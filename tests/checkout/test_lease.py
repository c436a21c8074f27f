"""One sweeps at a time, and no clock that was wrong for a moment stops the sweep."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from server.checkout import lease
from server.checkout.sweep import PAUSE_BETWEEN
from server.clock import now

pytestmark = pytest.mark.usefixtures("session")

Ahead = Callable[[timedelta], None]


@pytest.fixture
def clock_is_ahead(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    def turn(by: timedelta) -> None:
        def wrong() -> datetime:
            return now() + by

        monkeypatch.setattr(lease, "now", wrong)

    return turn


async def test_a_sweep_that_is_held_or_was_just_done_is_not_begun_again(clock_is_ahead: Ahead) -> None:
    assert await lease.acquire(even_in_pause=False)
    assert not await lease.acquire(even_in_pause=False)
    assert not await lease.acquire(even_in_pause=True)
    await lease.release(PAUSE_BETWEEN)

    assert not await lease.acquire(even_in_pause=False)
    assert await lease.acquire(even_in_pause=True)
    clock_is_ahead(lease.TERM)
    assert await lease.acquire(even_in_pause=False), "whoever held it is gone"


@pytest.mark.parametrize("even_in_pause", [True, False])
@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_clock_that_was_ahead_for_one_sweep_stops_none_after_it(
    clock_is_ahead: Ahead, is_killed: bool, even_in_pause: bool
) -> None:
    clock_is_ahead(timedelta(days=3))
    assert await lease.acquire(even_in_pause=False)
    if not is_killed:
        await lease.release(PAUSE_BETWEEN)
    clock_is_ahead(timedelta(0))

    assert await lease.acquire(even_in_pause=even_in_pause)


async def test_clocks_that_differ_a_little_do_not_sweep_together(clock_is_ahead: Ahead) -> None:
    clock_is_ahead(timedelta(seconds=15))
    assert await lease.acquire(even_in_pause=False)
    clock_is_ahead(timedelta(0))

    assert not await lease.acquire(even_in_pause=False)


def test_an_honest_pause_is_believed() -> None:
    assert PAUSE_BETWEEN <= lease.TERM
