"""What Stripe is answered, and that a forged or foreign event changes nothing."""

import asyncio
import json
import time
from typing import Any

import httpx
import stripe
from sqlalchemy import func, select

from server.access.models import Grant
from server.checkout.models import StripeEvent
from server.database.session import current_session
from server.settings import Settings
from tests.conftest import Sandbox, Site
from tests.factories import order_in, pay, status_of


async def count(table: type[Grant] | type[StripeEvent]) -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(table)) or 0


async def post(
    shop: Site, body: bytes, secret: str, *, at: int | None = None, signature: str | None = None
) -> httpx.Response:
    header = signature or stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, at or int(time.time())
    )
    async with shop.client() as client:
        return await client.post(
            "/webhooks/stripe",
            content=body,
            headers={"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"},
        )


def succeeded(sandbox: Sandbox) -> dict[str, Any]:
    return next(event for event in sandbox.events() if event["type"] == "payment_intent.succeeded")


async def test_a_delivered_event_opens_access(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    order = await order_in(browser)
    await pay(sandbox, order)

    await sandbox.astripe(f"events/{succeeded(sandbox)['id']}/deliver")

    assert await status_of(browser, order) == "paid"


async def test_a_body_written_otherwise_is_verified_as_received(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    """Stripe may indent its JSON and escape Korean or not: only the received bytes are signed."""
    order = await order_in(browser)
    await pay(sandbox, order)
    body = json.dumps(succeeded(sandbox) | {"note": "한글"}, indent=4, ensure_ascii=False).encode()

    answer = await post(shop, body, settings.webhook_secrets[0])

    assert answer.status_code == 200
    assert await count(Grant) == 1


async def test_forged_stale_and_unsigned_events_are_400_and_change_nothing(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    await pay(sandbox, await order_in(browser))
    body = json.dumps(succeeded(sandbox)).encode()
    secret = settings.webhook_secrets[0]
    now = int(time.time())
    good = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, now)

    answers = [
        await post(shop, body, "whsec_somebody_elses"),
        await post(shop, body, secret, at=now - 3600),
        await post(shop, body, secret, signature="t=1,v1=00"),
        await post(shop, body, secret, signature="nonsense"),
        await post(shop, body, secret, signature=good.replace("v1=", "v0=")),
        await post(shop, body.replace(b"succeeded", b"succeedeD"), secret, signature=good),
        await post(shop, b"\xff\xfe", secret, signature=good),
        await post(shop, b"[]", secret),
        await post(shop, b"no json", secret),
        await post(shop, json.dumps(succeeded(sandbox) | {"livemode": True}).encode(), secret),
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert await count(Grant) == await count(StripeEvent) == 0


async def test_what_is_not_ours_is_answered_200(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    await pay(sandbox, await order_in(browser))
    event = succeeded(sandbox)
    unknown = event | {"id": "evt_unknown_type", "type": "customer.created"}
    foreign = json.loads(json.dumps(event))
    foreign["id"], foreign["data"]["object"]["metadata"] = "evt_foreign", {}

    answers = [
        await post(shop, json.dumps(body).encode(), settings.webhook_secrets[0])
        for body in (unknown, foreign)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await count(Grant) == 0


async def test_ours_without_its_order_is_500_so_that_it_comes_again(
    shop: Site, sandbox: Sandbox, settings: Settings
) -> None:
    from server.integrations.stripe import stripe_gateway

    await current_session().reset()
    intent = await stripe_gateway().create_intent(
        order_number="AAAAA-BBBBB", attempt=1, amount=33000, currency="KRW", description="x"
    )
    await sandbox.astripe(f"confirm/{intent.id}", card="pm_card_visa", outcome="complete")

    answer = await post(shop, json.dumps(succeeded(sandbox)).encode(), settings.webhook_secrets[0])

    assert answer.status_code == 500
    assert await count(StripeEvent) == 0


async def test_our_own_failure_is_500_and_the_event_works_when_it_comes_again(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    await pay(sandbox, await order_in(browser))
    body = json.dumps(succeeded(sandbox)).encode()
    await sandbox.astripe("settings", api_fail="429")
    failed = await post(shop, body, settings.webhook_secrets[0])
    await sandbox.astripe("settings", api_fail=None)

    again = await post(shop, body, settings.webhook_secrets[0])

    assert (failed.status_code, again.status_code) == (500, 200)
    assert await count(Grant) == 1


async def test_five_deliveries_at_once_have_one_effect(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    await pay(sandbox, await order_in(browser))
    body = json.dumps(succeeded(sandbox)).encode()

    answers = await asyncio.gather(*(post(shop, body, settings.webhook_secrets[0]) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["outcome"] for answer in answers) == ["applied"] + ["duplicate"] * 4
    assert await count(Grant) == await count(StripeEvent) == 1


async def test_a_webhook_asks_the_database_at_most_ten_times(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    await pay(sandbox, await order_in(browser))
    body = json.dumps(succeeded(sandbox)).encode()

    with shop.statements() as statements:
        answer = await post(shop, body, settings.webhook_secrets[0])

    assert answer.json() == {"outcome": "applied"}
    assert len(statements) <= 10, "\n".join(s[:90] for s in statements)
