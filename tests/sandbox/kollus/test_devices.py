"""The four device policies, by scripted viewers on devices of different names."""

import asyncio

import pytest

from .support import Site, StandIn, claims, sign, until


async def _watch(kollus: StandIn, device: str, user: str = "user-1") -> int | None:
    """What keeps `user` from watching on `device`; None if nothing does."""
    token = sign(claims(kollus.key_of(20), cuid=user))
    code: int | None = (await kollus.play(token, (0, 20), device=device))["code"]
    return code


@pytest.mark.parametrize("policy", ["off", "one_at_a_time"])
async def test_without_registration_any_device_may_begin(kollus: StandIn, policy: str) -> None:
    await kollus.settings(device_policy=policy, device_limit=1)
    assert [await _watch(kollus, device) for device in ("Phone", "Desk", "Tablet", "Phone")] == [None] * 4


@pytest.mark.parametrize("policy", ["registered", "registered_one_at_a_time"])
async def test_a_device_too_many_is_refused_for_its_user_alone(kollus: StandIn, policy: str) -> None:
    await kollus.settings(device_policy=policy, device_limit=2)
    devices = ("Phone", "Desk", "Tablet", "Phone")
    assert [await _watch(kollus, device) for device in devices] == [None, None, 8464, None]
    assert await _watch(kollus, "Tablet", "user-2") is None


async def test_whom_the_site_refuses_registers_no_device(kollus: StandIn, site: Site) -> None:
    await kollus.settings(device_policy="registered", device_limit=1, play_callback_url=f"{site.url}/nothing")
    assert await _watch(kollus, "Phone") == 8670
    await kollus.settings(play_callback_url=f"{site.url}/play")
    assert await _watch(kollus, "Desk") is None


@pytest.mark.parametrize(
    ("policy", "second", "code"),
    [
        ("off", "Desk", None),
        ("registered", "Desk", None),
        ("one_at_a_time", "Phone", None),
        ("one_at_a_time", "Desk", 8479),
        ("registered_one_at_a_time", "Desk", 8479),
    ],
)
async def test_a_second_device_ends_the_first_where_one_alone_may_play(
    kollus: StandIn, site: Site, policy: str, second: str, code: int | None
) -> None:
    await kollus.settings(device_policy=policy)
    site.report_delay_s = 0.2  # the first viewer waits for each report to arrive, and so is slow
    first = asyncio.create_task(_watch(kollus, "Phone"))
    await until(lambda: bool(site.reports))
    site.report_delay_s = 0.0
    assert await _watch(kollus, second) is None
    assert await first == code


@pytest.mark.parametrize("change", [{"device_policy": "two"}, {"device_limit": 0}, {"device_limit": 11}])
async def test_a_policy_that_does_not_exist_is_refused(kollus: StandIn, change: dict[str, object]) -> None:
    assert (await kollus.http.post("/_sandbox/settings", json=change)).status_code == 400
