"""Webhooks that come too early or never."""

import asyncio

import pytest

from server.access import service as access
from server.checkout import payment_repository, repository, sweep
from server.checkout import service as checkout
from server.clock import now
from server.database.session import release, transaction
from server.integrations.gateways import gateways
from server.tokens import new_id, new_order_number
from tests.conftest import Site
from tests.factories import create_course, eventually, order_in, pay
from tests.faults.conftest import Effects, Serve, Shop


@pytest.mark.usefixtures("session")
async def test_an_event_before_our_commit_is_visible_comes_again_and_is_settled(
    site: Site, shop: Shop
) -> None:
    number, viewer_id = new_order_number(), new_id()
    quote = await checkout.quote(["first-night"], "KRW")
    await release()
    intent = await gateways().stripe.create_intent(
        order_number=number, attempt=1, tries=0, amount=33000, currency="KRW", quote_digest=quote.digest
    )
    await shop.sandbox.astripe(f"confirm/{intent.id}", card="pm_card_visa", outcome="complete")
    event = await shop.succeeded()

    async with site.client() as client:
        async with transaction():
            await access.register_viewer(viewer_id)
            await repository.add_order_key(viewer_id, now())
            order_id = await repository.add_order(
                quote,
                number=number,
                viewer_id=viewer_id,
                order_key_id=viewer_id,
                pressed_key_id=viewer_id,
                email="guest@mail.example",
                email_key="guest@mail.example",
                locale="en",
                ip_mac="0" * 22,
                open_key="open",
                at=now(),
            )
            await payment_repository.add(await repository.look(order_id), 1, now(), now())
            too_early = await shop.deliver(client, event)
            nothing = await shop.effects()
        again = await shop.deliver(client, event)

    assert (too_early.status_code, nothing) == (500, Effects(0, 0, 0, 0))
    assert (again.status_code, again.json()) == (200, {"outcome": "applied"})
    assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)


@pytest.mark.usefixtures("session")
async def test_with_every_webhook_lost_one_sweep_opens_access_for_everybody(site: Site, shop: Shop) -> None:
    await create_course("second-night")
    for slug in ("first-night", "second-night"):
        async with site.client() as browser:
            await pay(shop.sandbox, await order_in(browser, slug))

    await sweep.run(at_once=True)

    assert await shop.effects() == Effects(grants=2, receipts=2, events=2, paid=2)


async def test_with_every_webhook_lost_a_running_site_opens_access_by_itself(
    shop: Shop, serve: Serve
) -> None:
    """In real time: nobody delivers, nobody polls, nobody comes back."""
    site = await asyncio.to_thread(serve, workers=2, sweep_interval_s=1)
    async with site.client() as browser:
        await pay(shop.sandbox, await order_in(browser))

    async def is_in() -> bool:
        return (await shop.effects()).grants == 1

    await eventually(is_in, within_s=20)
    assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)
