"""New objects with all the fields that Stripe's own samples have."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from .cards import Card, Decline
from .errors import Json
from .money import settled
from .state import State, new_id, now

_FIXTURES = Path(__file__).parents[1] / "data" / "stripe-fixtures3.json"
_DAY = 86_400

CLIENT_FIELDS = frozenset(
    [
        "id",
        "object",
        "amount",
        "amount_details",
        "automatic_payment_methods",
        "canceled_at",
        "cancellation_reason",
        "capture_method",
        "client_secret",
        "confirmation_method",
        "created",
        "currency",
        "description",
        "last_payment_error",
        "livemode",
        "next_action",
        "payment_method",
        "payment_method_configuration_details",
        "payment_method_types",
        "processing",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "source",
        "status",
    ]
)
"""What a publishable key may see of a PaymentIntent: no metadata, no customer, no charge."""


def client_view(intent: Json) -> Json:
    return {name: value for name, value in intent.items() if name in CLIENT_FIELDS}


@cache
def _fixtures() -> dict[str, Json]:
    resources: dict[str, Json] = json.loads(_FIXTURES.read_text(encoding="utf-8"))["resources"]
    return resources


def _new(kind: str, prefix: str, **fields: Any) -> Json:
    found = {**deepcopy(_fixtures()[kind]), "id": new_id(prefix), "created": now(), **fields}
    if "livemode" in found:
        found["livemode"] = False
    return found


def payment_intent(amount: int, currency: str, methods: Json | None, **fields: Any) -> Json:
    intent = _new(
        "payment_intent",
        "pi",
        amount=amount,
        currency=currency,
        automatic_payment_methods=methods,
        capture_method="automatic_async",
        canceled_at=None,
        last_payment_error=None,
        next_action=None,
        payment_method_configuration_details=None,
        payment_method_options={
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        processing=None,
        shipping=None,
        transfer_data=None,
        managed_payments={"enabled": False},
        allowed_payment_method_types=None,
        payment_record=None,
    )
    intent["client_secret"] = f"{intent['id']}_{new_id('secret')}"
    return {**intent, **fields}


def payment_method(card: Card, expiry: tuple[int, int], billing: Json, *, cvc_given: bool = True) -> Json:
    method = _new("payment_method", "pm", billing_details=billing, metadata={})
    method["card"].update(
        _card_facts(card, expiry),
        checks=_checks(card, cvc_given=cvc_given),
        display_brand=card.brand,
        generated_from=None,
        networks={"available": [card.brand], "preferred": None},
        three_d_secure_usage={"supported": True},
        wallet=None,
    )
    return method


def billing_details(given: Json) -> Json:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    address |= {name: value or None for name, value in given.get("address", {}).items()}
    plain = {name: given.get(name) or None for name in ("email", "name", "phone")}
    return {"address": address, **plain, "tax_id": None}


def _card_facts(card: Card, expiry: tuple[int, int]) -> Json:
    return {
        "brand": card.brand,
        "country": card.country,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "last4": card.last4,
    }


def _checks(card: Card, *, cvc_given: bool) -> Json:
    postal = card.postal_code_check
    cvc = card.cvc_check if cvc_given else None
    return {"address_line1_check": None, "address_postal_code_check": postal, "cvc_check": cvc}


def charge(intent: Json, method: Json, card: Card, *, challenged: bool, receipts_url: str) -> Json:
    """One attempt to take the money; it stands as paid unless the card declines."""
    found = _new(
        "charge",
        "ch",
        amount=intent["amount"],
        currency=intent["currency"],
        balance_transaction=None,
        billing_details=deepcopy(method["billing_details"]),
        calculated_statement_descriptor=" ".join(
            filter(None, ["PLAYBILL", intent["statement_descriptor_suffix"]])
        ),
        description=intent["description"],
        metadata=dict(intent["metadata"]),
        outcome=_outcome(card, card.decline),
        payment_intent=intent["id"],
        payment_method=method["id"],
        receipt_email=intent["receipt_email"],
        shipping=deepcopy(intent["shipping"]),
        source=None,
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        transfer_data=None,
        radar_options={},
    )
    del found["refunds"]  # since 2022-11-15 only there when expanded
    _fill_card(found["payment_method_details"]["card"], intent["amount"], method, challenged=challenged)
    if card.decline:
        failure = {"failure_code": card.decline.code, "failure_message": card.decline.message}
        return found | failure | {"paid": False, "captured": False, "status": "failed", "receipt_url": None}
    receipt = f"{receipts_url}/{found['id']}"
    taken = {"paid": True, "captured": True, "amount_captured": intent["amount"], "status": "succeeded"}
    return found | taken | {"receipt_url": receipt}


def _fill_card(details: Json, amount: int, method: Json, *, challenged: bool) -> None:
    card = method["card"]
    for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "checks"):
        details[name] = deepcopy(card[name])
    secured = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("tds"),
        "version": "2.2.0",
    }
    details.update(
        amount_authorized=amount,
        installments=None,
        network=card["brand"],
        overcapture={"maximum_amount_capturable": amount, "status": "unavailable"},
        three_d_secure=secured if challenged else None,
        wallet=None,
    )


def _outcome(card: Card, decline: Decline | None) -> Json:
    words = "Payment complete." if decline is None else "The bank did not return any further details."
    sent = "approved_by_network" if decline is None else "declined_by_network"
    kind = "authorized" if decline is None else "issuer_declined"
    if decline and decline.blocked:
        words, sent, kind = "Stripe blocked this payment.", "not_sent_to_network", "blocked"
    return {
        "advice_code": decline.advice if decline else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": sent,
        "reason": decline.decline_code if decline else None,
        "risk_level": card.risk,
        "risk_score": {"normal": 12, "elevated": 68, "highest": 92}[card.risk],
        "seller_message": words,
        "type": kind,
    }


def refund(of: Json, amount: int, reason: str | None, metadata: dict[str, str]) -> Json:
    return _new(
        "refund",
        "re",
        amount=amount,
        charge=of["id"],
        currency=of["currency"],
        destination_details={
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        metadata=metadata,
        payment_intent=of["payment_intent"],
        payment_method=of["payment_method"],
        reason=reason,
    )


def dispute(of: Json, reason: str, *, inquiry: bool) -> Json:
    found = _new(
        "dispute",
        "dp",
        amount=of["amount"],
        charge=of["id"],
        currency=of["currency"],
        is_charge_refundable=inquiry,
        metadata={},
        payment_intent=of["payment_intent"],
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        enhanced_eligibility_types=[],
        network_reason_code="10.4",
    )
    brand = of["payment_method_details"]["card"]["brand"]
    found["payment_method_details"]["card"].update(
        brand=brand, network=brand, case_type="inquiry" if inquiry else "chargeback"
    )
    found["evidence_details"].update(due_by=found["created"] + 7 * _DAY)
    return found


def early_fraud_warning(of: Json, *, actionable: bool) -> Json:
    # Stripe's samples hold none: these are all the fields that the SDK's type has.
    return {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": actionable,
        "charge": of["id"],
        "created": now(),
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": of["payment_intent"],
    }


def balance_transaction(
    state: State, source: Json, kind: str, amount: int, fee: int, *, at_once: bool
) -> Json:
    """Book money on the merchant's balance.

    `amount` is in minor units of the source's currency, negative when money leaves; `fee` already in minor
    units of the settlement currency.
    """
    gross, currency, rate = settled(amount, source["currency"])
    fees = {"amount": fee, "application": None, "currency": currency, "type": "stripe_fee"}
    fees["description"] = "Stripe processing fees"
    return state.put(
        _new(
            "balance_transaction",
            "txn",
            amount=gross,
            available_on=now() if at_once else now() + 7 * _DAY,
            currency=currency,
            description=source.get("description"),
            exchange_rate=rate,
            fee=fee,
            fee_details=[fees] if fee else [],
            net=gross - fee,
            reporting_category={"adjustment": "dispute"}.get(kind, kind),
            source=source["id"],
            status="available" if at_once else "pending",
            type=kind,
        )
    )
