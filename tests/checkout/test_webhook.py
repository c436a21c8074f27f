"""What Stripe is answered, and that a forged or foreign event changes nothing."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from server.access.models import Grant
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.database.session import current_session
from server.integrations.gateways import gateways
from server.integrations.stripe import StripeGateway
from server.integrations.stripe_facts import IntentState
from server.settings import Settings
from server.stripe_events.models import StripeEvent
from tests.conftest import Sandbox, Site
from tests.factories import deliver, order_in, pay, signature_of, status_of
from tests.figures import figure


async def count(table: type[Grant] | type[StripeEvent]) -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(table)) or 0


async def post(shop: Site, body: bytes, secret: str, *, signature: str | None = None) -> httpx.Response:
    return await deliver(shop.client(), body, signature or signature_of(body, secret))


def succeeded(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.event("payment_intent.succeeded")


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
    good = signature_of(body, secret)
    stale = signature_of(body, secret, int(time.time()) - 3600)

    answers = [
        await post(shop, body, "whsec_somebody_elses"),
        await post(shop, body, secret, signature=stale),
        await post(shop, body, secret, signature="t=1,v1=00"),
        await post(shop, body, secret, signature="nonsense"),
        await post(shop, body, secret, signature=good.replace("v1=", "v0=")),
        await post(shop, body.replace(b"succeeded", b"succeedeD"), secret, signature=good),
        await post(shop, b"\xff\xfe", secret, signature=good),
        await post(shop, b"[]", secret),
        await post(shop, b"no json", secret),
        await post(shop, json.dumps(succeeded(sandbox) | {"livemode": True}).encode(), secret),
        await shop.client().post(
            "/webhooks/stripe", content=body, headers={b"Stripe-Signature": "t=1,v1=é".encode()}
        ),
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
    await current_session().reset()
    intent = await gateways().stripe.create_intent(
        order_number="AAAAA-BBBBB", attempt=1, tries=0, amount=33000, currency="KRW", quote_digest="x"
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


@pytest.mark.parametrize(
    ("reported", "differs"),
    [
        ({"amount": 32000}, "amount"),
        ({"amount_received": 32000}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"customer": "cus_somebody"}, "customer"),
        ({"metadata": {"app": "playbill", "order_number": "AAAAA-BBBBB"}}, "order"),
    ],
)
async def test_an_event_of_an_intent_that_differs_is_200_an_alert_and_no_grant(
    shop: Site,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    reported: dict[str, Any],
    differs: str,
) -> None:
    order = await order_in(browser)
    await pay(sandbox, order)
    fetch = StripeGateway.fetch_whole

    async def fetch_other(gateway: StripeGateway, intent_id: str) -> IntentState:
        return replace(await fetch(gateway, intent_id), **reported)

    monkeypatch.setattr(StripeGateway, "fetch_whole", fetch_other)
    body = json.dumps(succeeded(sandbox)).encode()
    counted = {"type": "payment_intent.succeeded", "outcome": "differs"}
    before = await figure(browser, "playbill_webhook_events_total", **counted)

    answers = [await post(shop, body, settings.webhook_secrets[0]) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == {"outcome": "differs"}
    assert await count(Grant) == 0
    assert await status_of(browser, order) == "pending"
    assert await figure(browser, "playbill_webhook_events_total", **counted) == before + 1
    (alert,) = await alerts.open_alerts()
    assert (alert.kind, alert.order_number) == (AlertKind.AMOUNT_DIFFERS, order["order"])
    assert alert.facts["differs"] == [differs]


async def test_every_event_is_counted_by_its_type_and_outcome(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox, settings: Settings
) -> None:
    await pay(sandbox, await order_in(browser))
    event, secret = succeeded(sandbox), settings.webhook_secrets[0]
    body = json.dumps(event).encode()
    live = json.dumps(event | {"livemode": True}).encode()
    other = json.dumps(event | {"type": "customer.created"}).encode()
    kind = event["type"]

    async def rises(type_: str, outcome: str, told: bytes, by: str = secret) -> None:
        name, labels = "playbill_webhook_events_total", {"type": type_, "outcome": outcome}
        before = await figure(browser, name, **labels)
        await post(shop, told, by)
        assert await figure(browser, name, **labels) == before + 1, labels

    await sandbox.astripe("settings", api_fail="429")
    await rises(kind, "failed", body)
    await sandbox.astripe("settings", api_fail=None)
    await rises(kind, "applied", body)
    await rises(kind, "duplicate", body)
    await rises(kind, "wrong_mode", live)
    await rises("unknown", "rejected", body, by="whsec_somebody_elses")
    await rises("other", "not_ours", other)


async def test_a_delivery_that_is_old_or_signed_with_another_secret_is_400_and_changes_nothing(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    async def delivered(signature: str) -> list[int]:
        await sandbox.astripe("settings", signature=signature)
        answers = await sandbox.astripe(f"events/{succeeded(sandbox)['id']}/deliver")
        return [attempt["status"] for attempt in answers["attempts"]]

    order = await order_in(browser)
    await pay(sandbox, order)

    assert [await delivered(signature) for signature in ("old", "wrong_secret", "v0_only")] == [[400]] * 3
    assert await count(Grant) == await count(StripeEvent) == 0
    assert await delivered("rotated") == [200], "one of two signatures is made with our secret"
    assert await count(Grant) == 1
