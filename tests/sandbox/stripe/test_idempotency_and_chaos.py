import asyncio
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.http import async_client
from tests.sandbox.stripe.support import WEBHOOK_SECRET, Receiver, Sandbox, eventually, sdk_warning

pytestmark = sdk_warning

INTENT: Any = {
    "amount": 33000,
    "currency": "krw",
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}
PATH = "/v1/payment_intents"
FORM = "amount=33000&currency=krw"


async def test_the_same_key_gets_the_same_answer_and_makes_nothing_new(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    key: Any = {"idempotency_key": "order-1:1:33000"}
    first = await client.v1.payment_intents.create_async(INTENT, key)
    second = await client.v1.payment_intents.create_async(INTENT, key)
    assert first.to_dict() == second.to_dict()
    assert first.last_response and "idempotent-replayed" not in first.last_response.headers
    assert second.last_response and second.last_response.headers["idempotent-replayed"] == "true"
    assert len(sandbox.look("events")) == 1


async def test_a_key_belongs_to_one_call(client: stripe.StripeClient) -> None:
    key: Any = {"idempotency_key": "order-1"}
    intent = await client.v1.payment_intents.create_async(INTENT, key)
    other: Any = {**INTENT, "amount": 44000}
    for attempt in (
        client.v1.payment_intents.create_async(other, key),
        client.v1.payment_intents.cancel_async(intent.id, {}, key),
    ):
        with pytest.raises(stripe.IdempotencyError):
            await attempt


def test_an_answer_that_its_key_keeps_says_that_asking_again_is_no_use(sandbox: Sandbox) -> None:
    first, second = (sandbox.call("POST", PATH, FORM, Idempotency_Key="k") for _ in range(2))
    for answer in (first, second):
        assert answer.headers["stripe-should-retry"] == "false"
        assert answer.headers["original-request"] == first.headers["request-id"]
    for answer in (
        sandbox.call("POST", PATH, FORM),
        sandbox.call("POST", PATH, "amount=x&currency=krw", Idempotency_Key="l"),
        sandbox.call("GET", PATH),
    ):
        assert "stripe-should-retry" not in answer.headers


async def test_a_server_error_under_a_key_is_asked_for_once_and_a_locked_object_again(
    sandbox: Sandbox, http_client: stripe.HTTPClient
) -> None:
    client = sandbox.client(http_client, retries=2)

    async def calls_at(fail: str, error: type[stripe.StripeError]) -> int:
        before = len(sandbox.look("requests"))
        sandbox.settings(api_fail=fail)
        with pytest.raises(error):
            await client.v1.payment_intents.create_async(INTENT)
        return len(sandbox.look("requests")) - before

    assert await calls_at("500", stripe.APIError) == 1
    assert await calls_at("lock_timeout", stripe.RateLimitError) == 3


def test_a_call_that_fails_validation_may_be_mended_under_its_key(sandbox: Sandbox) -> None:
    assert sandbox.call("POST", PATH, "amount=x&currency=krw", Idempotency_Key="k").status_code == 400
    assert sandbox.call("POST", PATH, FORM, Idempotency_Key="k").status_code == 200


def test_a_decline_is_repeated_under_its_key(sandbox: Sandbox) -> None:
    intent = sandbox.call("POST", PATH, FORM).json()
    form = "payment_method=pm_card_visa_chargeDeclined&return_url=http://127.0.0.1/"
    path = f"{PATH}/{intent['id']}/confirm"
    first, second = (sandbox.call("POST", path, form, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, first.json()) == (402, second.json())
    assert len(sandbox.look("overview")["charge"]) == 1


async def test_while_a_call_is_under_way_its_key_is_in_use(sandbox: Sandbox) -> None:
    sandbox.settings(api_delay_ms=1500, api_only="POST /v1/payment_intents")
    headers = {"Authorization": "Bearer sk_test_sandboxsecretkey", "Stripe-Version": "2026-10-28.endive"}
    headers |= {"Idempotency-Key": "k"}
    async with async_client(base_url=sandbox.url, headers=headers) as http:
        held = asyncio.create_task(http.post(PATH, data={"amount": "33000", "currency": "krw"}))
        # The work is done and told while the answer is still held back.
        await asyncio.to_thread(eventually, lambda: sandbox.event_types() == ["payment_intent.created"])
        assert not held.done()
        busy = await asyncio.to_thread(sandbox.call, "POST", PATH, FORM, Idempotency_Key="k")
        assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
        assert busy.json()["error"]["type"] == "invalid_request_error"
        assert (await held).status_code == 200
    sandbox.settings(api_delay_ms=0)
    assert sandbox.call("POST", PATH, FORM, Idempotency_Key="k").headers["idempotent-replayed"] == "true"


async def test_after_a_dropped_connection_the_work_is_done_and_the_key_tells_it(
    sandbox: Sandbox, http_client: stripe.HTTPClient
) -> None:
    client = sandbox.client(http_client, retries=1)
    key: Any = {"idempotency_key": "order-1"}
    sandbox.settings(api_fail="drop", api_only="POST ")
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.payment_intents.create_async(INTENT, key)
    lost = [one for one in sandbox.look("requests") if one["method"] == "POST"]
    assert [(one["status"], one["headers"]["idempotency-key"]) for one in lost] == [(None, "order-1")] * 2
    assert sandbox.event_types() == ["payment_intent.created"]

    sandbox.settings(api_fail=None)
    found = await client.v1.payment_intents.create_async(INTENT, key)
    assert [one["id"] for one in sandbox.look("overview")["payment_intent"]] == [found.id]


async def test_a_rate_limit_is_forgotten_and_a_server_error_is_kept(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    key: Any = {"idempotency_key": "order-1"}
    sandbox.settings(api_fail="429")
    with pytest.raises(stripe.RateLimitError) as limited:
        await client.v1.payment_intents.create_async(INTENT, key)
    headers: Any = limited.value.headers
    assert headers["stripe-rate-limited-reason"] == "global-rate"
    sandbox.settings(api_fail="500")
    with pytest.raises(stripe.APIError):
        await client.v1.payment_intents.create_async(INTENT, key)
    sandbox.settings(api_fail=None)
    with pytest.raises(stripe.APIError):
        await client.v1.payment_intents.create_async(INTENT, key)
    assert (await client.v1.payment_intents.create_async(INTENT)).status == "requires_payment_method"
    assert len(sandbox.look("events")) == 1


async def test_a_locked_object_is_429_without_a_reason(sandbox: Sandbox) -> None:
    sandbox.settings(api_fail="lock_timeout")
    locked = sandbox.call("POST", PATH, FORM)
    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in locked.headers


async def test_a_bad_gateway_answers_in_html_and_does_nothing(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    key: Any = {"idempotency_key": "order-1"}
    sandbox.settings(api_fail="502")
    raw = sandbox.call("POST", PATH, FORM)
    assert (raw.status_code, raw.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert "request-id" not in raw.headers
    with pytest.raises(stripe.APIError):
        await client.v1.payment_intents.create_async(INTENT, key)
    assert [one["status"] for one in sandbox.look("requests")] == [502, 502]
    assert sandbox.look("events") == []
    sandbox.settings(api_fail=None)
    assert (await client.v1.payment_intents.create_async(INTENT, key)).status == "requires_payment_method"


async def test_trouble_can_be_kept_to_some_calls(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = await client.v1.payment_intents.create_async(INTENT)
    sandbox.settings(api_fail="500", api_only="POST /v1/payment_intents/*/confirm")
    await client.v1.payment_intents.update_async(intent.id, {"description": "fine"})
    with pytest.raises(stripe.APIError):
        await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})


def test_everything_survives_a_killed_process(tmp_path: Path) -> None:
    file = str(tmp_path / "deep" / "stripe.db")
    with Receiver(answers=[500]) as receiver:
        webhook = ["--webhook-url", receiver.url, "--webhook-secret", WEBHOOK_SECRET]
        before = Sandbox("--state", file, *webhook)
        made = before.call("POST", PATH, FORM, Idempotency_Key="k").json()
        eventually(lambda: receiver.received)
        before.control(f"confirm/{made['id']}")
        before.settings(duplicate=2)
        before.kill()

        after = Sandbox("--state", file, *webhook)
        try:
            assert after.call("POST", PATH, FORM, Idempotency_Key="k").json() == made
            assert after.call("GET", f"{PATH}/{made['id']}").json()["status"] == "succeeded"
            assert after.look("settings")["duplicate"] == 2
            # What was due when the process died happens now: the refused webhook, and the fee.
            eventually(lambda: receiver.types().count("payment_intent.created") >= 2)
            assert after.event("charge.updated")
        finally:
            after.stop()
