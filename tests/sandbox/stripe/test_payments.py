import json
from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.support import ROOT, Sandbox, eventually, sdk_warning

pytestmark = sdk_warning

NO_REDIRECTS: Any = {"enabled": True, "allow_redirects": "never"}


async def intent_of(client: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    params: Any = {"amount": 33000, "currency": "krw", "automatic_payment_methods": NO_REDIRECTS, **more}
    return await client.v1.payment_intents.create_async(params)


@pytest.mark.parametrize(
    ("currency", "asked", "types"),
    [
        ("krw", {}, ["card", "link", "kakao_pay"]),
        ("usd", {"automatic_payment_methods": {"enabled": True}}, ["card", "link", "klarna"]),
        (
            "krw",
            {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}},
            ["card", "link"],
        ),
        ("krw", {"allowed_payment_method_types": ["card", "link"]}, ["card", "link"]),
        ("usd", {"allowed_payment_method_types": ["card", "kakao_pay"]}, ["card"]),
        ("jpy", {"excluded_payment_method_types": ["paypay"]}, ["card", "link"]),
    ],
)
async def test_an_intent_takes_what_the_account_has_of_what_was_allowed(
    client: stripe.StripeClient, currency: str, asked: Any, types: list[str]
) -> None:
    params: Any = {"amount": 33000, "currency": currency, **asked}
    intent = await client.v1.payment_intents.create_async(params)
    assert intent.payment_method_types == types


async def test_a_good_card_pays_and_the_fee_becomes_known_later(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    intent = await intent_of(client, metadata={"order_number": "PB-1"}, receipt_email="a@example.com")
    assert (intent.status, intent.latest_charge, intent.livemode) == ("requires_payment_method", None, False)
    assert intent.client_secret and intent.client_secret.startswith(f"{intent.id}_secret_")

    paid = await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
    )
    charge: Any = paid.latest_charge
    assert (paid.status, paid.amount_received) == ("succeeded", 33000)
    assert (charge.balance_transaction, charge.paid, charge.metadata["order_number"]) == (None, True, "PB-1")
    assert charge.payment_method_details.card.last4 == "4242"
    assert sandbox.event_types()[:3] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]

    updated = sandbox.event("charge.updated")
    assert updated["data"]["previous_attributes"] == {"balance_transaction": None}
    again: Any = await client.v1.payment_intents.retrieve_async(
        intent.id, {"expand": ["latest_charge.balance_transaction"]}
    )
    booked = again.latest_charge.balance_transaction
    assert (booked.amount, booked.currency, booked.exchange_rate) == (2409, "usd", 0.00073)
    assert booked.net == booked.amount - booked.fee
    # The event keeps what was true when it happened.
    assert sandbox.event("charge.succeeded")["data"]["object"]["balance_transaction"] is None


async def test_objects_have_every_field_of_the_official_samples(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    samples = json.loads((ROOT / "server/sandbox/data/stripe-fixtures3.json").read_text())["resources"]
    intent: Any = await intent_of(
        client,
        confirm=True,
        payment_method="pm_card_visa",
        expand=["latest_charge.refunds", "payment_method"],
    )
    refund = await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1000})
    dispute = sandbox.control(f"charges/{intent.latest_charge.id}/dispute")
    event = sandbox.look("events")[0]
    found: dict[str, Any] = {
        "payment_intent": intent.to_dict(),
        "charge": intent.latest_charge.to_dict(),
        "payment_method": intent.payment_method.to_dict(),
        "refund": refund.to_dict(),
        "dispute": dispute,
        "balance_transaction": dispute["balance_transactions"][0],
        "event": event,
    }
    assert found.keys() == samples.keys()
    for kind, sample in samples.items():
        assert sample.keys() - found[kind].keys() == set(), kind


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
async def test_a_declined_card_is_told_with_the_whole_intent_and_may_be_followed_by_a_good_one(
    sandbox: Sandbox, client: stripe.StripeClient, card: str, code: str, decline_code: str
) -> None:
    intent = await intent_of(client)
    with pytest.raises(stripe.CardError) as caught:
        await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": card})
    error: Any = caught.value.error
    assert (caught.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_intent.payment_method is None
    assert error.payment_intent.last_payment_error.decline_code == decline_code
    assert error.charge == error.payment_intent.latest_charge
    assert sandbox.event_types()[1:] == ["charge.failed", "payment_intent.payment_failed"]

    paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    assert paid.latest_charge != error.charge


async def test_three_d_secure_waits_for_the_buyer_and_then_pays(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    intent = await intent_of(client)
    waiting = await client.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_threeDSecure2Required"}
    )
    assert (waiting.status, waiting.latest_charge) == ("requires_action", None)
    assert waiting.next_action and waiting.next_action.type == "use_stripe_sdk"
    sdk: Any = waiting.next_action.use_stripe_sdk
    page = f"http://localhost:{sandbox.port}/_sandbox/3ds/{intent.id}?client_secret={intent.client_secret}"
    assert (sdk["type"], sdk["stripe_js"]) == ("three_d_secure_redirect", page)

    wrong = sandbox.http.post(
        f"/_sandbox/3ds/{intent.id}", json={"client_secret": "pi_secret_x", "outcome": "complete"}
    )
    assert wrong.status_code == 404
    done = sandbox.control(f"3ds/{intent.id}", client_secret=intent.client_secret, outcome="complete")
    assert done["status"] == "succeeded"
    assert "metadata" not in done
    assert sandbox.event_types()[1:4] == [
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize(
    ("card", "outcome", "end"),
    [
        ("4000002760003184", "complete", ("succeeded", None)),
        ("4000002760003184", "fail", ("requires_payment_method", "payment_intent_authentication_failure")),
        ("4000002760003184", "abandon", ("requires_action", None)),
        ("4000008260003178", "complete", ("requires_payment_method", "card_declined")),
        ("4000000000000002", "complete", ("requires_payment_method", "card_declined")),
        ("pm_card_mastercard", "complete", ("succeeded", None)),
    ],
)
async def test_a_scripted_buyer_does_what_a_browser_would_do(
    sandbox: Sandbox, client: stripe.StripeClient, card: str, outcome: str, end: tuple[str, str | None]
) -> None:
    intent = await intent_of(client)
    after = sandbox.control(f"confirm/{intent.id}", card=card, outcome=outcome)
    assert (after["status"], (after["last_payment_error"] or {}).get("code")) == end
    if after["status"] == "requires_payment_method":
        assert sandbox.event_types()[-1] == "payment_intent.payment_failed"


async def test_off_session_a_card_that_wants_3d_secure_is_declined_without_a_charge(
    client: stripe.StripeClient,
) -> None:
    intent = await intent_of(client)
    with pytest.raises(stripe.CardError) as caught:
        await client.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_authenticationRequired", "off_session": True}
        )
    assert caught.value.code == "authentication_required"
    assert caught.value.error and caught.value.error.charge is None


async def test_a_finished_intent_takes_texts_but_no_money_words(client: stripe.StripeClient) -> None:
    intent = await intent_of(client, confirm=True, payment_method="pm_card_visa")
    changed = await client.v1.payment_intents.update_async(intent.id, {"description": "A course"})
    assert changed.description == "A course"
    intents = client.v1.payment_intents
    for attempt in (
        intents.update_async(intent.id, {"amount": 44000}),
        intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"}),
        intents.cancel_async(intent.id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await attempt
        assert caught.value.code == "payment_intent_unexpected_state"
        error: Any = caught.value.error
        assert error.payment_intent.id == intent.id


async def test_confirming_without_a_card_is_an_error(client: stripe.StripeClient) -> None:
    intent = await intent_of(client)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.payment_intents.confirm_async(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"


async def test_a_new_amount_asks_for_a_new_challenge(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = await intent_of(client)
    sandbox.control(f"confirm/{intent.id}", card="4000002760003184", outcome="abandon")
    changed = await client.v1.payment_intents.update_async(intent.id, {"amount": 44000})
    assert (changed.amount, changed.status, changed.next_action) == (44000, "requires_confirmation", None)


async def test_canceling_ends_an_intent_and_its_challenge(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    intent = await intent_of(client)
    sandbox.control(f"confirm/{intent.id}", card="4000002760003184", outcome="abandon")
    canceled = await client.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at
    late = sandbox.http.post(
        f"/_sandbox/3ds/{intent.id}", json={"client_secret": intent.client_secret, "outcome": "complete"}
    )
    assert (late.status_code, late.json()["error"]["code"]) == (400, "payment_intent_unexpected_state")
    assert sandbox.event_types()[-1] == "payment_intent.canceled"


async def test_a_payment_method_pays_once(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    first = await intent_of(client, confirm=True, payment_method="pm_card_visa")
    second = await intent_of(client)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.payment_intents.confirm_async(
            second.id, {"payment_method": str(first.payment_method)}
        )
    assert caught.value.param == "payment_method"


async def test_lists_go_newest_first_page_by_page(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    made = [(await intent_of(client)).id for _ in range(5)]
    first = await client.v1.payment_intents.list_async({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (made[:2:-1], True)
    rest = await client.v1.payment_intents.list_async({"limit": 3, "starting_after": made[3]})
    assert ([one.id for one in rest.data], rest.has_more) == (made[2::-1], False)
    newer = await client.v1.payment_intents.list_async({"limit": 1, "ending_before": made[2]})
    assert ([one.id for one in newer.data], newer.has_more) == ([made[3]], True)
    everything = await client.v1.payment_intents.list_async({"limit": 2})
    assert [one.id async for one in everything.auto_paging_iter()] == made[::-1]

    paid = await intent_of(client, confirm=True, payment_method="pm_card_visa")
    charges = await client.v1.charges.list_async({"payment_intent": paid.id})
    assert [charge.payment_intent for charge in charges.data] == [paid.id]
    assert (await client.v1.charges.retrieve_async(charges.data[0].id)).id == paid.latest_charge


async def test_unknown_ids_are_missing_resources(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.payment_intents.retrieve_async("pi_nowhere")
    error = caught.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "intent")
    assert error.request_id and error.request_id.startswith("req_")
    for attempt in (
        client.v1.charges.retrieve_async("ch_nowhere"),
        client.v1.refunds.retrieve_async("re_nowhere"),
        client.v1.disputes.retrieve_async("dp_nowhere"),
        client.v1.events.retrieve_async("evt_nowhere"),
        client.v1.payment_methods.retrieve_async("pm_nowhere"),
        client.v1.balance_transactions.retrieve_async("txn_nowhere"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await attempt
        assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


async def test_expanding_follows_ids_and_refuses_what_leads_nowhere(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    await intent_of(client, confirm=True, payment_method="pm_card_visa")
    sandbox.event("charge.updated")
    listed: Any = await client.v1.payment_intents.list_async(
        {"expand": ["data.latest_charge.balance_transaction", "data.payment_method"]}
    )
    assert listed.data[0].latest_charge.balance_transaction.object == "balance_transaction"
    assert listed.data[0].payment_method.card.brand == "visa"
    for path in ("latest_charge.amount", "amount", "nothing", "data.latest_charge"):
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.payment_intents.retrieve_async(listed.data[0].id, {"expand": [path]})


def test_the_page_for_people_and_the_receipt_open(sandbox: Sandbox) -> None:
    page = sandbox.http.get("/_sandbox/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    made = sandbox.call(
        "POST",
        "/v1/payment_intents",
        "amount=1999&currency=usd&confirm=true&payment_method=pm_card_visa&return_url=http://127.0.0.1/",
    ).json()
    charge = eventually(lambda: sandbox.look("overview")["charge"])[0]
    assert charge["payment_intent"] == made["id"]
    receipt = sandbox.http.get(f"/_sandbox/receipts/{charge['id']}")
    assert "19.99 USD" in receipt.text


async def test_a_payment_on_its_way_can_be_neither_canceled_nor_confirmed_and_ends_later(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    sandbox.settings(processing=True)
    intents = [await intent_of(client) for _ in range(2)]
    for intent in intents:
        pending = await client.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
        )
        charge: Any = pending.latest_charge
        assert (pending.status, pending.amount_received, charge.status, charge.paid) == (
            "processing",
            0,
            "pending",
            False,
        )
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await client.v1.payment_intents.cancel_async(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"

    paid = sandbox.control(f"processing/{intents[0].id}", outcome="succeed")
    failed = sandbox.control(f"processing/{intents[1].id}", outcome="fail")

    assert (paid["status"], paid["amount_received"]) == ("succeeded", 33000)
    assert (failed["status"], failed["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "card_declined",
    )
    charges = sandbox.look("overview")["charge"]
    assert [(one["status"], one["paid"]) for one in charges] == [("succeeded", True), ("failed", False)]
    told = sandbox.event_types()
    for kind in ("charge.pending", "payment_intent.processing"):
        assert told.count(kind) == 2
    assert told.count("payment_intent.succeeded") == told.count("payment_intent.payment_failed") == 1
