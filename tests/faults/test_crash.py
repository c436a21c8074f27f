"""Killed at the worst moment: whoever paid is in, once, and was told the truth meanwhile."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from server.settings import Settings
from tests.commands import run_playbill
from tests.conftest import environment_of
from tests.engines import on_sqlite
from tests.factories import eventually, open_checkout, order_in, pay, status_of
from tests.faults.conftest import Effects, Serve, Shop
from tests.faults.serving import Served
from tests.ports import free_port

BROKEN_OFF = (httpx.RemoteProtocolError, httpx.ReadError)


async def sweep_by_hand(shop: Shop) -> None:
    """`playbill sweep`, as soon as nobody else sweeps (a killed worker's turn may have to run out)."""

    async def swept() -> bool:
        told = await asyncio.to_thread(run_playbill, ["sweep"], environment_of(shop.settings))
        return told.strip() == "swept"

    await eventually(swept, within_s=20)


async def test_killed_between_charge_and_grant_the_sweep_opens_access_once(shop: Shop, serve: Serve) -> None:
    site = serve(workers=1, lease_s=2)
    sandbox = shop.sandbox
    async with site.client() as browser:
        order = await order_in(browser)
        await pay(sandbox, order)
        event = await shop.succeeded()

        # Stripe has charged; the worker that settles waits for the last of its answers.
        await sandbox.astripe("settings", api_delay_ms=20000, api_only="GET /v1/refunds")
        settling = asyncio.create_task(shop.deliver(browser, event))

        async def is_asking() -> bool:
            return bool(await asyncio.to_thread(sandbox.requests, "GET", "/v1/refunds"))

        await eventually(is_asking)
        await asyncio.to_thread(site.kill_a_worker)
        with pytest.raises(BROKEN_OFF):
            await settling
        await sandbox.astripe("settings", api_delay_ms=0, api_only=None, api_fail="429")

        await asyncio.to_thread(site.wait_until_it_answers, 10)
        assert await status_of(browser, order) == "pending"
        assert (await browser.get(f"/orders/{order['order']}")).status_code == 200
        assert (await shop.effects()) == Effects(grants=0, receipts=0, events=0, paid=0)

        await sandbox.astripe("settings", api_fail=None)
        await sweep_by_hand(shop)
        once = Effects(grants=1, receipts=1, events=1, paid=1)
        assert await shop.effects() == once
        assert await status_of(browser, order) == "paid"

        again = await shop.deliver(browser, event)
        assert again.json() == {"outcome": "duplicate"}
        assert await shop.effects() == once


@pytest.fixture(scope="module")
def two_sites(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Served]]:
    """Two processes, of which a test knows which one it asks."""
    folder = tmp_path_factory.mktemp("two")
    # Their own sweeps would apply what a test is about to deliver.
    own = {"workers": 1, "sweep_interval_s": 300}
    first, second = [Served(settings, free_port(), folder, **own) for _ in range(2)]
    with first, second:
        yield first, second


async def test_the_same_event_to_two_processes_at_once_has_one_effect(
    shop: Shop, two_sites: tuple[Served, Served]
) -> None:
    first, second = two_sites
    async with first.client() as one, second.client() as other:
        order = await order_in(one)
        await pay(shop.sandbox, order)
        event = await shop.succeeded()

        answers = await asyncio.gather(*(shop.deliver(site, event) for site in (one, other) * 10))

        assert {answer.status_code for answer in answers} == {200}
        outcomes = sorted(answer.json()["outcome"] for answer in answers)
        assert outcomes == ["applied"] + ["duplicate"] * 19
        assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)

        async def has_mail() -> bool:
            return bool(await asyncio.to_thread(shop.sandbox.messages))

        await eventually(has_mail)
        assert len(await asyncio.to_thread(shop.sandbox.messages)) == 1


async def test_every_path_at_once_in_two_processes_has_one_effect(
    shop: Shop, two_sites: tuple[Served, Served]
) -> None:
    """Webhook, the buyer's return and the sweep, all within the same moment."""
    first, second = two_sites
    async with first.client() as browser, second.client() as stripes:
        order = await order_in(browser)
        await pay(shop.sandbox, order)
        event = await shop.succeeded()

        await asyncio.gather(
            *(shop.deliver(stripes, event) for _ in range(5)),
            *(browser.get(f"/orders/{order['order']}/status") for _ in range(5)),
            sweep_by_hand(shop),
        )

        effects = await shop.effects()
        assert (effects.grants, effects.receipts, effects.paid) == (1, 1, 1)
        assert await status_of(browser, order) == "paid"


@on_sqlite
async def test_what_has_begun_is_answered_before_a_polite_end(shop: Shop, serve: Serve) -> None:
    site = await asyncio.to_thread(serve, workers=2)
    async with site.client() as browser:
        page = await open_checkout(browser)
        await shop.sandbox.astripe("settings", api_delay_ms=1500, api_only="POST /v1/payment_intents")
        pressing = asyncio.create_task(page.press_pay())

        async def is_asking() -> bool:
            return bool(await asyncio.to_thread(shop.sandbox.requests, "POST", "/v1/payment_intents"))

        await eventually(is_asking)
        site.process.terminate()

        assert (await pressing).status_code == 200
        assert await asyncio.to_thread(site.exit_code, 8) == 0
