from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.support import Sandbox, eventually, sdk_warning

pytestmark = sdk_warning


async def paid_charge(client: stripe.StripeClient, card: str = "pm_card_visa") -> stripe.Charge:
    params: Any = {
        "amount": 3300,
        "currency": "usd",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "confirm": True,
        "payment_method": card,
        "expand": ["latest_charge"],
    }
    intent: Any = await client.v1.payment_intents.create_async(params)
    charge: stripe.Charge = intent.latest_charge
    return charge


async def test_parts_add_up_and_more_than_the_rest_is_refused(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = await paid_charge(client)
    intent = str(charge.payment_intent)
    part = await client.v1.refunds.create_async(
        {"payment_intent": intent, "amount": 1000, "metadata": {"item": "1"}}
    )
    assert (part.status, part.amount, part.charge, part.metadata and part.metadata["item"]) == (
        "succeeded",
        1000,
        charge.id,
        "1",
    )
    partly = await client.v1.charges.retrieve_async(charge.id, {"expand": ["refunds"]})
    assert (partly.amount_refunded, partly.refunded) == (1000, False)
    assert partly.refunds and [one.id for one in partly.refunds.data] == [part.id]

    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.refunds.create_async({"charge": charge.id, "amount": 2301})
    assert (caught.value.param, caught.value.code) == ("amount", None)
    rest = await client.v1.refunds.create_async({"charge": charge.id})
    assert rest.amount == 2300
    assert (await client.v1.charges.retrieve_async(charge.id)).refunded is True
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.refunds.create_async({"charge": charge.id})
    assert caught.value.code == "charge_already_refunded"

    listed = await client.v1.refunds.list_async({"payment_intent": intent})
    assert [one.id for one in listed.data] == [rest.id, part.id]
    assert sandbox.event_types().count("refund.created") == 2
    assert sandbox.event_types().count("charge.refunded") == 2


async def test_a_refund_needs_something_to_refund(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.refunds.create_async({"amount": 100})
    assert caught.value.code == "parameter_missing"
    unpaid = await client.v1.payment_intents.create_async({"amount": 3300, "currency": "usd"})
    for params in ({"payment_intent": unpaid.id}, {"charge": "ch_nowhere"}):
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.refunds.create_async(params)  # type: ignore[arg-type]


async def test_a_pending_refund_succeeds_later(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    charge = await paid_charge(client, "pm_card_pendingRefund")
    refund = await client.v1.refunds.create_async({"charge": charge.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    updated = sandbox.event("refund.updated")
    assert updated["data"]["object"]["status"] == "succeeded"
    assert updated["data"]["previous_attributes"]["status"] == "pending"


async def test_a_refund_can_fail_after_it_succeeded(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    charge = await paid_charge(client, "pm_card_refundFail")
    refund = await client.v1.refunds.create_async({"charge": charge.id})
    assert refund.status == "succeeded"
    failed = sandbox.event("refund.failed")["data"]["object"]
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert (await client.v1.charges.retrieve_async(charge.id)).amount_refunded == 0


async def test_a_refund_in_the_dashboard_is_told_like_any_other(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = await paid_charge(client)
    assert sandbox.control(f"charges/{charge.id}/refund", amount=300)["amount"] == 300
    assert sandbox.control(f"charges/{charge.id}/refund")["amount"] == 3000
    assert sandbox.event("charge.refunded")["data"]["object"]["refunded"] is True
    assert sandbox.event("refund.created")["request"] == {"id": None, "idempotency_key": None}


@pytest.mark.parametrize("won", [True, False])
async def test_a_dispute_takes_the_money_and_only_a_won_one_returns_it(
    sandbox: Sandbox, client: stripe.StripeClient, won: bool
) -> None:
    charge = await paid_charge(client)
    opened = sandbox.control(f"charges/{charge.id}/dispute")
    assert (opened["status"], opened["amount"]) == ("needs_response", 3300)
    assert opened["balance_transactions"][0]["amount"] == -3300
    assert (await client.v1.charges.retrieve_async(charge.id)).disputed is True
    assert sandbox.event_types()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.refunds.create_async({"charge": charge.id})
    assert caught.value.code == "charge_disputed"

    closed = sandbox.control(f"disputes/{opened['id']}/close", won=won)
    assert closed["status"] == ("won" if won else "lost")
    assert ("charge.dispute.funds_reinstated" in sandbox.event_types()) is won
    assert sandbox.event("charge.dispute.closed")["data"]["object"]["status"] == closed["status"]
    listed = await client.v1.disputes.list_async({"charge": charge.id, "expand": ["data.charge"]})
    assert [one.status for one in listed.data] == [closed["status"]]
    assert sandbox.http.post(f"/_sandbox/disputes/{opened['id']}/close", json={"won": won}).status_code == 400


async def test_an_inquiry_takes_no_money_and_may_be_refunded(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = await paid_charge(client, "pm_card_createDisputeInquiry")
    inquiry = sandbox.event("charge.dispute.created")["data"]["object"]
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    assert "charge.dispute.funds_withdrawn" not in sandbox.event_types()
    assert (await client.v1.refunds.create_async({"charge": charge.id})).status == "succeeded"
    assert sandbox.control(f"disputes/{inquiry['id']}/close", won=True)["status"] == "warning_closed"


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
async def test_evidence_decides_a_dispute(
    sandbox: Sandbox, client: stripe.StripeClient, text: str, status: str
) -> None:
    await paid_charge(client, "pm_card_createDispute")
    dispute_id = sandbox.event("charge.dispute.created")["data"]["object"]["id"]
    handed_in = await client.v1.disputes.update_async(
        dispute_id, {"evidence": {"uncategorized_text": text}, "submit": True}
    )
    assert (handed_in.status, handed_in.evidence_details.submission_count) == ("under_review", 1)
    assert sandbox.event("charge.dispute.closed")["data"]["object"]["status"] == status


async def test_a_merchant_can_accept_a_loss(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    await paid_charge(client, "pm_card_createMultipleDisputes")
    disputes = eventually(lambda: (found := sandbox.look("overview")["dispute"])[1:] and found)
    assert (await client.v1.disputes.close_async(disputes[0]["id"])).status == "lost"
    assert (await client.v1.disputes.retrieve_async(disputes[1]["id"])).status == "needs_response"


async def test_an_early_fraud_warning_asks_to_act_until_the_money_is_back(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = await paid_charge(client, "pm_card_createIssuerFraudRecord")
    event = sandbox.event("radar.early_fraud_warning.created")
    warning = event["data"]["object"]
    assert (warning["charge"], warning["payment_intent"]) == (charge.id, charge.payment_intent)
    assert (warning["actionable"], warning["fraud_type"]) == (True, "made_with_stolen_card")
    assert (await client.v1.charges.retrieve_async(charge.id)).disputed is False

    await client.v1.refunds.create_async({"charge": charge.id, "amount": 1000})
    assert "radar.early_fraud_warning.updated" not in sandbox.event_types()
    await client.v1.refunds.create_async({"charge": charge.id})
    updated = sandbox.event("radar.early_fraud_warning.updated")["data"]
    assert (updated["object"]["actionable"], updated["previous_attributes"]) == (False, {"actionable": True})

    warnings = client.v1.radar.early_fraud_warnings
    listed = await warnings.list_async({"charge": charge.id, "expand": ["data.charge"]})
    assert [one.to_dict()["charge"]["id"] for one in listed.data] == [charge.id]
    assert (await warnings.retrieve_async(warning["id"])).actionable is False


async def test_a_dispute_ends_what_a_fraud_warning_asks_for(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = await paid_charge(client)
    assert sandbox.control(f"charges/{charge.id}/early_fraud_warning")["actionable"] is True
    sandbox.control(f"charges/{charge.id}/dispute")
    assert sandbox.event("radar.early_fraud_warning.updated")["data"]["object"]["actionable"] is False
    assert sandbox.control(f"charges/{charge.id}/early_fraud_warning")["actionable"] is False
