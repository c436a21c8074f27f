"""Which endpoint hears of which events, and what the API tells of endpoints."""

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.support import Json, Receiver, Sandbox, eventually, sdk_warning

pytestmark = sdk_warning

PATH = "/v1/webhook_endpoints"


def pay(sandbox: Sandbox) -> Json:
    intent: Json = sandbox.call("POST", "/v1/payment_intents", "amount=33000&currency=krw").json()
    paid: Json = sandbox.control(f"confirm/{intent['id']}")
    return paid


async def test_an_endpoint_gets_the_event_types_that_it_asked_for_and_no_others(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    with Receiver() as receiver:
        made = await client.v1.webhook_endpoints.create_async(
            {"url": receiver.url, "enabled_events": ["payment_intent.succeeded", "charge.updated"]}
        )
        pay(sandbox)
        posted = receiver.await_type("charge.updated")
        assert made.secret is not None
        client.construct_event(posted.body, posted.headers["Stripe-Signature"], made.secret)
        assert sorted(receiver.types()) == ["charge.updated", "payment_intent.succeeded"]
        created = sandbox.event("payment_intent.created")
        assert created["pending_webhooks"] == 0
        assert sandbox.control(f"events/{created['id']}/deliver")["attempts"] == []


def test_an_endpoint_of_the_sandbox_hears_of_everything_unless_it_says_otherwise(sandbox: Sandbox) -> None:
    with Receiver() as receiver:
        sandbox.control("webhook_endpoints", url=receiver.url, secret="whsec_x")
        pay(sandbox)
        receiver.await_type("charge.updated")
        assert "payment_intent.created" in receiver.types()
        some = ["payment_intent.canceled"]
        sandbox.control("webhook_endpoints", url=receiver.url, secret="whsec_x", enabled_events=some)
        receiver.received.clear()
        intent = sandbox.call("POST", "/v1/payment_intents", "amount=33000&currency=krw").json()
        sandbox.call("POST", f"/v1/payment_intents/{intent['id']}/cancel")
        receiver.await_type("payment_intent.canceled")
        assert receiver.types() == some


async def test_the_api_tells_what_an_endpoint_listens_to_and_its_secret_only_once(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    hooks = client.v1.webhook_endpoints
    made = await hooks.create_async({"url": "http://127.0.0.1:1/", "enabled_events": ["charge.refunded"]})
    assert (made.secret or "").startswith("whsec_")
    (listed,) = (await hooks.list_async()).data
    read = await hooks.retrieve_async(made.id)
    for one in (listed, read):
        assert (one.id, one.url, one.status) == (made.id, "http://127.0.0.1:1/", "enabled")
        assert (one.enabled_events, one.api_version) == (["charge.refunded"], "2026-10-28.endive")
        assert "secret" not in one
    changed = await hooks.update_async(made.id, {"enabled_events": ["*"], "disabled": True})
    assert (changed.enabled_events, changed.status) == (["*"], "disabled")
    await hooks.delete_async(made.id)
    assert (await hooks.list_async()).data == []


def test_a_disabled_endpoint_gets_nothing(sandbox: Sandbox, receiver: Receiver) -> None:
    (endpoint,) = sandbox.look("webhook_endpoints")
    sandbox.call("POST", f"{PATH}/{endpoint['id']}", "disabled=true")
    pay(sandbox)
    assert all(event["pending_webhooks"] == 0 for event in sandbox.look("events"))
    sandbox.call("POST", f"{PATH}/{endpoint['id']}", "disabled=false")
    pay(sandbox)
    eventually(lambda: receiver.received)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ("enabled_events[]=charge.refunded", "url"),
        ("url=http://127.0.0.1/", "enabled_events"),
        ("url=127.0.0.1&enabled_events[]=*", "url"),
        ("url=http://127.0.0.1/&enabled_events[]=charge.eaten", "enabled_events[0]"),
        ("url=http://127.0.0.1/&enabled_events[]=*&api_version=2024-06-20", "api_version"),
    ],
)
def test_an_endpoint_that_stripe_would_not_make_is_not_made(sandbox: Sandbox, form: str, param: str) -> None:
    answer = sandbox.call("POST", PATH, form)
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert sandbox.look("webhook_endpoints") == []
