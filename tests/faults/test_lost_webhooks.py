"""Webhooks that come too early or never."""

import asyncio

import pytest

from server.access import service as access
from server.catalog import service as catalog
from server.checkout import repository, sweep
from server.checkout.models import OrderStatus, PaymentStatus
from server.clock import now
from server.database.session import release, transaction
from server.integrations.stripe import stripe_gateway
from server.tokens import new_id, new_order_number
from tests.conftest import Site
from tests.factories import create_course, eventually, order_in, pay
from tests.faults.conftest import Effects, Serve, Shop


@pytest.mark.usefixtures("session")
async def test_an_event_before_our_commit_is_visible_comes_again_and_is_settled(
    site: Site, shop: Shop
) -> None:
    number, viewer_id, order_id = new_order_number(), new_id(), new_id()
    course = await catalog.course_for_sale("first-night")
    await release()
    intent = await stripe_gateway().create_intent(
        order_number=number, attempt=1, amount=33000, currency="KRW", description="x"
    )
    await shop.sandbox.astripe(f"confirm/{intent.id}", card="pm_card_visa", outcome="complete")
    event = await shop.succeeded()

    async with site.client() as client:
        async with transaction():
            await access.register_viewer(viewer_id)
            await repository.add_order_key(viewer_id, now())
            await repository.add_order(
                {
                    "id": order_id,
                    "number": number,
                    "viewer_id": viewer_id,
                    "order_key_id": viewer_id,
                    "email": "guest@mail.example",
                    "email_key": "guest@mail.example",
                    "ip_mac": "0" * 22,
                    "locale": "en",
                    "currency": "KRW",
                    "amount": 33000,
                    "status": OrderStatus.PENDING,
                    "open_key": None,
                    "created_at": now(),
                },
                [
                    {
                        "id": new_id(),
                        "order_id": order_id,
                        "course_id": course.id,
                        "course_title": course.title,
                        "course_slug": course.slug,
                        "amount": 33000,
                    }
                ],
                {
                    "id": new_id(),
                    "order_id": order_id,
                    "attempt": 1,
                    "amount": 33000,
                    "currency": "KRW",
                    "status": PaymentStatus.CREATED,
                    "next_check_at": now(),
                    "created_at": now(),
                    "updated_at": now(),
                },
            )
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
    site = await asyncio.to_thread(serve, workers=2)
    async with site.client() as browser:
        await pay(shop.sandbox, await order_in(browser))

    async def is_in() -> bool:
        return (await shop.effects()).grants == 1

    await eventually(is_in, within_s=60)
    assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)
