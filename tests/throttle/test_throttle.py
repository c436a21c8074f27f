"""Brakes hold for all workers together, and keep no addresses."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.database.session import current_session, session_scope, transaction
from server.errors import TooMany
from server.throttle import service as throttle
from server.throttle.models import ThrottleCounter

DAY_S = throttle.DAY_S
pytestmark = pytest.mark.usefixtures("session")


async def counters() -> list[ThrottleCounter]:
    await current_session().reset()
    return list(await current_session().scalars(select(ThrottleCounter)))


async def test_more_than_the_limit_is_refused() -> None:
    for _ in range(3):
        await throttle.hit("try", {"ip:192.0.2.1": 3}, DAY_S)

    with pytest.raises(TooMany):
        await throttle.hit("try", {"ip:192.0.2.1": 3}, DAY_S)


async def test_one_subject_does_not_brake_another() -> None:
    with pytest.raises(TooMany):
        await throttle.hit("try", {"ip:192.0.2.1": 0}, DAY_S)

    await throttle.hit("try", {"ip:192.0.2.2": 1}, DAY_S)
    await throttle.hit("other", {"ip:192.0.2.1": 1}, DAY_S)


async def test_every_subject_has_its_own_limit() -> None:
    limits = {"address:a@mail.example": 1, "ip:192.0.2.1": 10}
    await throttle.hit("try", limits, DAY_S)

    with pytest.raises(TooMany):
        await throttle.hit("try", limits, DAY_S)
    await throttle.hit("try", {"ip:192.0.2.1": 10}, DAY_S)


@pytest.mark.parametrize("narrow_first", [True, False])
async def test_what_one_browser_is_refused_does_not_count_for_its_network(narrow_first: bool) -> None:
    limits = {"browser:a": 2, "ip:192.0.2.1": 5}
    limits = limits if narrow_first else dict(reversed(limits.items()))
    for _ in range(2):
        await throttle.hit("try", limits, DAY_S)
    for _ in range(10):
        with pytest.raises(TooMany):
            await throttle.hit("try", limits, DAY_S)

    for browser in ("b", "c", "d"):
        await throttle.hit("try", {f"browser:{browser}": 2, "ip:192.0.2.1": 5}, DAY_S)
    with pytest.raises(TooMany):
        await throttle.hit("try", {"browser:e": 2, "ip:192.0.2.1": 5}, DAY_S)


async def test_what_is_forgiven_does_not_count() -> None:
    for _ in range(5):
        await throttle.hit("try", {"ip:192.0.2.1": 1}, DAY_S)
        await throttle.forgive("try", {"ip:192.0.2.1": 1}, DAY_S)

    assert [counter.count for counter in await counters()] == [0]


async def test_a_new_window_begins_from_nothing() -> None:
    for _ in range(3):
        await throttle.hit("try", {"ip:192.0.2.1": 3}, DAY_S)
    async with transaction():
        await current_session().execute(update(ThrottleCounter).values(window_start=0))

    await throttle.hit("try", {"ip:192.0.2.1": 3}, DAY_S)

    assert {counter.window_start > 0: counter.count for counter in await counters()} == {False: 3, True: 1}


async def test_no_address_is_stored() -> None:
    await throttle.hit("try", {"address:vera@mail.example": 1, "ip:192.0.2.1": 1}, DAY_S)

    for counter in await counters():
        assert "vera" not in counter.key
        assert "192" not in counter.key.removeprefix("try:")


async def test_rivals_together_get_no_more_than_the_limit(sessions: async_sessionmaker[Any]) -> None:
    async def attempt() -> bool:
        async with session_scope(sessions):
            try:
                await throttle.hit("try", {"ip:192.0.2.1": 5, "address:a@mail.example": 100}, DAY_S)
            except TooMany:
                return False
            return True

    passed = await asyncio.gather(*(attempt() for _ in range(16)))

    assert passed.count(True) == 5


async def test_the_visitors_of_one_network_do_not_lock_each_other_out(
    sessions: async_sessionmaker[Any],
) -> None:
    async def attempt(number: int) -> None:
        async with session_scope(sessions):
            for _ in range(3):
                limits = {"ip:192.0.2.1": 1000, f"browser:{number % 8}": 100, f"address:{number % 3}": 100}
                await throttle.hit("try", limits, DAY_S)

    await asyncio.gather(*(attempt(number) for number in range(16)))

    assert sorted(counter.count for counter in await counters())[-1] == 48


async def test_windows_that_are_over_are_forgotten() -> None:
    await throttle.hit("old", {"ip:192.0.2.1": 1}, DAY_S)
    async with transaction():
        await current_session().execute(update(ThrottleCounter).values(window_start=0))
    await throttle.hit("new", {"ip:192.0.2.1": 1}, DAY_S)

    await throttle.forget_old()

    assert [counter.key.split(":")[0] for counter in await counters()] == ["new"]
