"""A bank's early warning of fraud: staff are told once, and access stays."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.checkout import sweep
from server.database.session import current_session
from server.settings import Settings
from tests.conftest import Sandbox, Site
from tests.factories import deliver, order_in, pay, signature_of, status_of

WARNED = "radar.early_fraud_warning.created"


@pytest_asyncio.fixture
async def warned(browser: httpx.AsyncClient, sandbox: Sandbox) -> AsyncIterator[dict[str, Any]]:
    """An order that is paid, and whose bank then warned of fraud; no webhook told of the warning yet."""
    order = await order_in(browser)
    await pay(sandbox, order)
    paid = sandbox.event("payment_intent.succeeded")
    await sandbox.astripe(f"events/{paid['id']}/deliver")
    await sandbox.astripe(f"charges/{paid['data']['object']['latest_charge']}/early_fraud_warning")
    yield order


async def the_alert() -> tuple[AlertKind, str | None, dict[str, Any]]:
    await current_session().reset()
    (alert,) = await alerts.open_alerts()
    return alert.kind, alert.order_number, alert.facts


async def test_an_early_fraud_warning_alerts_staff_once_and_access_stays(
    browser: httpx.AsyncClient, sandbox: Sandbox, warned: dict[str, Any]
) -> None:
    warning = sandbox.event(WARNED)

    answers = [await sandbox.astripe(f"events/{warning['id']}/deliver") for _ in range(2)]

    assert [one["status"] for answer in answers for one in answer["attempts"]] == [200, 200]
    kind, number, facts = await the_alert()
    assert (kind, number) == (AlertKind.FRAUD_WARNING, warned["order"])
    assert (facts["amount"], facts["currency"]) == (33000, "KRW")
    assert facts["reason"] == warning["data"]["object"]["fraud_type"]
    assert await status_of(browser, warned) == "paid"


async def test_a_fraud_warning_whose_webhook_was_lost_is_found_by_the_sweep(warned: dict[str, Any]) -> None:
    await sweep.run(at_once=True)
    await sweep.run(at_once=True)

    kind, number, _ = await the_alert()
    assert (kind, number) == (AlertKind.FRAUD_WARNING, warned["order"])


async def test_a_fraud_warning_on_another_shops_payment_alerts_nobody(shop: Site, settings: Settings) -> None:
    thing = {"id": "issfr_1", "object": "radar.early_fraud_warning", "payment_intent": "pi_1"}
    told = {"id": "evt_1", "object": "event", "type": WARNED, "created": 1_790_000_000, "livemode": False}
    body = json.dumps(told | {"data": {"object": thing}}).encode()

    answer = await deliver(shop.client(), body, signature_of(body, settings.webhook_secrets[0]))

    assert (answer.status_code, answer.json()) == (200, {"outcome": "not_ours"})
    assert await alerts.open_alerts() == []
