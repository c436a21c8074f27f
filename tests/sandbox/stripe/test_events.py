from contextlib import nullcontext

import pytest
import stripe

from server.sandbox.stripe.events import EventFilter
from server.sandbox.stripe.state import now
from tests.sandbox.stripe.support import (
    WEBHOOK_SECRET,
    Delivered,
    Json,
    Receiver,
    Sandbox,
    eventually,
    sdk_warning,
)

pytestmark = sdk_warning


def new_intent(sandbox: Sandbox, text: str = "course") -> Json:
    body = f"amount=33000&currency=krw&description={text}"
    intent: Json = sandbox.call("POST", "/v1/payment_intents", body).json()
    return intent


def delivered(sandbox: Sandbox) -> bool:
    return all(event["pending_webhooks"] == 0 for event in sandbox.look("events"))


async def test_events_are_listed_newest_first_with_filters(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    first, second = new_intent(sandbox), new_intent(sandbox)
    sandbox.control(f"confirm/{first['id']}")
    sandbox.call("POST", f"/v1/payment_intents/{second['id']}/cancel")
    events = client.v1.events
    everything = (await events.list_async({"limit": 100})).data
    assert [one.id for one in reversed(everything)] == [one["id"] for one in sandbox.look("events")]
    assert {one.api_version for one in everything} == {"2026-10-28.endive"}

    charges = await events.list_async({"type": "charge.*"})
    assert "charge.succeeded" in {one.type for one in charges.data} <= {"charge.succeeded", "charge.updated"}
    two = await events.list_async({"types": ["payment_intent.canceled", "payment_intent.succeeded"]})
    assert [one.type for one in two.data] == ["payment_intent.canceled", "payment_intent.succeeded"]
    born = everything[-1].created
    assert (await events.list_async({"created": {"lt": born}})).data == []
    assert (await events.list_async({"created": {"gte": born}, "limit": 1})).has_more
    # All of this happened within a second or two: the cursor goes by position, not by time.
    since = await events.list_async({"ending_before": everything[-1].id, "limit": 100})
    assert [one.id for one in since.data][-1] == everything[-2].id
    assert (await events.retrieve_async(everything[0].id)).id == everything[0].id


async def test_an_event_names_the_call_it_came_from(sandbox: Sandbox) -> None:
    answer = sandbox.call(
        "POST", "/v1/payment_intents", "amount=33000&currency=krw", Idempotency_Key="order-1"
    )
    event = sandbox.look("events")[0]
    assert event["request"] == {"id": answer.headers["request-id"], "idempotency_key": "order-1"}


async def test_webhooks_carry_a_signature_that_the_sdk_accepts(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    intent = new_intent(sandbox, "한국어 강의")
    post = receiver.await_type("payment_intent.created")
    event = client.construct_event(post.body, post.headers["Stripe-Signature"], WEBHOOK_SECRET)
    assert (event.type, event.pending_webhooks) == ("payment_intent.created", 1)
    assert event.data.object["id"] == intent["id"]
    assert event.data.object["description"] == "한국어 강의"
    assert post.headers["Content-Type"] == "application/json; charset=utf-8"
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(post.body, post.headers["Stripe-Signature"], "whsec_other")
    eventually(lambda: delivered(sandbox))


def test_a_refused_webhook_comes_again_with_a_fresh_signature(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers = [500]
    new_intent(sandbox)
    eventually(lambda: len(receiver.received) == 2)
    first, second = receiver.received
    assert first.event["id"] == second.event["id"]
    assert first.headers["Stripe-Signature"] != second.headers["Stripe-Signature"]
    eventually(lambda: delivered(sandbox))
    attempts = sandbox.look("overview")["delivery"][0]["attempts"]
    assert [attempt["status"] for attempt in attempts] == [500, 200]


def test_duplicates_arrive_as_often_as_asked(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(duplicate=3)
    new_intent(sandbox)
    eventually(lambda: len(receiver.received) == 3)
    assert len({one.event["id"] for one in receiver.received}) == 1


async def test_lost_webhooks_can_be_caught_up_from_the_list(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    sandbox.settings(fail_rate=1)
    intent = new_intent(sandbox)
    eventually(lambda: sandbox.look("overview")["delivery"][0]["attempts"])
    assert receiver.received == []
    missed = await client.v1.events.list_async({"delivery_success": False})
    assert [one.data.object["id"] for one in missed.data] == [intent["id"]]


async def test_by_hand_nothing_goes_out_until_somebody_says_so(
    sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    sandbox.settings(deliver="manual")
    new_intent(sandbox)
    event = sandbox.look("events")[0]
    assert (event["pending_webhooks"], receiver.received) == (1, [])
    receiver.answers = [400]
    assert sandbox.control(f"events/{event['id']}/deliver")["attempts"][0]["status"] == 400
    assert sandbox.control(f"events/{event['id']}/deliver")["attempts"][0]["status"] == 200
    assert delivered(sandbox)
    assert sandbox.control(f"events/{event['id']}/deliver")["attempts"][0]["status"] == 200
    assert len(receiver.received) == 3


def test_events_of_more_than_thirty_days_ago_are_listed_no_more() -> None:
    event = {"type": "charge.succeeded", "pending_webhooks": 0}
    assert [EventFilter().takes(event | {"created": now() - days * 86_400}) for days in (29, 31)] == [
        True,
        False,
    ]


def test_shuffled_webhooks_all_come_and_not_in_the_order_of_their_events(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.settings(shuffle=True)
    made = [new_intent(sandbox, f"course {number}")["id"] for number in range(12)]
    eventually(lambda: len(receiver.received) == len(made))
    came = [one.event["data"]["object"]["id"] for one in receiver.received]
    assert sorted(came) == sorted(made)
    assert came != made  # by chance, once in twelve factorial


def test_a_late_webhook_comes_after_its_delay(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(delay_ms=300, shuffle=True)
    new_intent(sandbox)
    delivery = sandbox.look("overview")["delivery"][0]
    assert (delivery["status"], receiver.received) == ("pending", [])
    eventually(lambda: receiver.received)


def test_every_endpoint_gets_every_event_signed_with_its_own_secret(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    with Receiver() as second:
        sandbox.control("webhook_endpoints", url=second.url, secret="whsec_second")
        new_intent(sandbox)
        ours, theirs = (one.await_type("payment_intent.created") for one in (receiver, second))
        assert ours.event["id"] == theirs.event["id"]
        verify = stripe.WebhookSignature.verify_header
        verify(ours.body.decode(), ours.headers["Stripe-Signature"], WEBHOOK_SECRET, 300)
        verify(theirs.body.decode(), theirs.headers["Stripe-Signature"], "whsec_second", 300)
        eventually(lambda: delivered(sandbox))


def parts(delivered: Delivered) -> list[tuple[str, str]]:
    """The signature header, as `[("t", …), ("v1", …)]`."""
    names = [part.partition("=") for part in delivered.headers["Stripe-Signature"].split(",")]
    return [(name, value) for name, _, value in names]


@pytest.mark.parametrize("how", ["good", "old", "wrong_secret", "v0_only", "rotated"])
def test_webhooks_are_signed_as_asked(sandbox: Sandbox, receiver: Receiver, how: str) -> None:
    sandbox.settings(signature=how)
    new_intent(sandbox)
    delivered = receiver.await_type("payment_intent.created")
    header = delivered.headers["Stripe-Signature"]
    accepted = how in ("good", "rotated")
    with nullcontext() if accepted else pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(delivered.body.decode(), header, WEBHOOK_SECRET, 300)
    names = [name for name, _ in parts(delivered)]
    assert names == {"v0_only": ["t", "v0"], "rotated": ["t", "v1", "v1"]}.get(how, ["t", "v1"])
    if how == "old":  # nothing but its age is wrong with it
        stripe.WebhookSignature.verify_header(delivered.body.decode(), header, WEBHOOK_SECRET, 7200)


@pytest.mark.parametrize(
    "bad",
    [{"deliver": "soon"}, {"duplicate": 0}, {"fail_rate": 2}, {"signature": "bad"}, {"no_such": 1}],
)
def test_settings_that_do_not_fit_change_nothing(sandbox: Sandbox, bad: Json) -> None:
    before = sandbox.look("settings")
    assert sandbox.http.post("/_sandbox/settings", json={"delay_ms": 5, **bad}).status_code == 400
    assert sandbox.look("settings") == before
