from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import httpx
import pytest
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from server.sandbox.stripe import schema
from server.sandbox.stripe.endpoints import ENDPOINTS
from tests.sandbox.stripe.support import PUBLISHABLE_KEY, Sandbox

GOOD = "amount=33000&currency=krw"


def refused(answer: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["request-id"].startswith("req_")
    error: dict[str, Any] = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("currency=krw", "parameter_missing", "amount"),
        ("amount=33000", "parameter_missing", "currency"),
        (f"{GOOD}&colour=red", "parameter_unknown", "colour"),
        (
            f"{GOOD}&automatic_payment_methods[enabled]=true&automatic_payment_methods[redirects]=never",
            "parameter_unknown",
            "automatic_payment_methods[redirects]",
        ),
        (
            f"{GOOD}&shipping[address][planet]=mars&shipping[name]=x",
            "parameter_unknown",
            "shipping[address][planet]",
        ),
        (
            f"{GOOD}&automatic_payment_methods[allow_redirects]=never",
            "parameter_missing",
            "automatic_payment_methods[enabled]",
        ),
        ("amount=10.5&currency=krw", "parameter_invalid_integer", "amount"),
        ("amount=1e3&currency=krw", "parameter_invalid_integer", "amount"),
        ("amount=&currency=krw", "parameter_invalid_integer", "amount"),
        ("amount[x]=1&currency=krw", "parameter_invalid_integer", "amount"),
        (
            "amount=%EF%BC%93%EF%BC%93%EF%BC%90%EF%BC%90%EF%BC%90&currency=krw",
            "parameter_invalid_integer",
            "amount",
        ),
        (f"{GOOD}&expand[%D9%A0]=latest_charge", None, "expand"),
        ("amount=33000&currency=", "parameter_invalid_empty", "currency"),
        (f"{GOOD}&automatic_payment_methods[enabled]=yes", None, "automatic_payment_methods[enabled]"),
        (f"{GOOD}&capture_method=later", None, "capture_method"),
        (f"{GOOD}&setup_future_usage=sometimes", None, "setup_future_usage"),
        (f"{GOOD}&expand=latest_charge", None, "expand"),
        (f"{GOOD}&payment_method_types[]=card", "payment_method_types_no_longer_supported", None),
        (f"{GOOD}&idempotency_key=abc", "parameter_unknown", "idempotency_key"),
        (f"{GOOD}&receipt_email=nobody", "email_invalid", "receipt_email"),
        (f"{GOOD}&statement_descriptor=Course", None, "statement_descriptor"),
        (f"{GOOD}&return_url=http://127.0.0.1/", None, "return_url"),
        (f"{GOOD}&customer=cus_nobody", "resource_missing", "customer"),
        (f"{GOOD}&payment_method=pm_nobody", "resource_missing", "payment_method"),
        (f"{GOOD}&capture_method=manual", "sandbox_unsupported", "capture_method"),
        (f"{GOOD}&transfer_group=x", "sandbox_unsupported", "transfer_group"),
        (
            f"{GOOD}&automatic_payment_methods[enabled]=true&allowed_payment_method_types[]=card",
            "parameters_exclusive",
            "allowed_payment_method_types",
        ),
    ],
)
def test_what_does_not_fit_the_sdk_types_is_refused(
    sandbox: Sandbox, body: str, code: str | None, param: str | None
) -> None:
    error = refused(sandbox.call("POST", "/v1/payment_intents", body))
    assert error.get("code") == code
    if param:
        assert error["param"] == param
    assert sandbox.event_types() == []


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "krw", "parameter_invalid_integer"),
        (-5, "krw", "parameter_invalid_integer"),
        (49, "usd", "amount_too_small"),
        (50, "krw", "amount_too_small"),  # 50 won are 4 cents on an account in dollars
        (100_000_000, "usd", "amount_too_large"),
        (100_150, "isk", "parameter_invalid_integer"),
        (100_105, "kwd", "parameter_invalid_integer"),
        (33_000, "xyz", None),
    ],
)
def test_amounts_that_stripe_refuses_are_refused(
    sandbox: Sandbox, amount: int, currency: str, code: str | None
) -> None:
    error = refused(sandbox.call("POST", "/v1/payment_intents", f"amount={amount}&currency={currency}"))
    assert error.get("code") == code
    assert error["param"] == ("amount" if code else "currency")


@pytest.mark.parametrize(
    "money", ["amount=1000&currency=krw", "amount=50&currency=usd", "amount=100100&currency=isk"]
)
def test_amounts_that_stripe_takes_are_taken(sandbox: Sandbox, money: str) -> None:
    assert sandbox.call("POST", "/v1/payment_intents", money).status_code == 200


def test_a_currency_in_capitals_is_lowered(sandbox: Sandbox) -> None:
    made = sandbox.call("POST", "/v1/payment_intents", "amount=3300&currency=USD").json()
    assert made["currency"] == "usd"
    changed = sandbox.call("POST", f"/v1/payment_intents/{made['id']}", "amount=33000&currency=KRW").json()
    assert (changed["amount"], changed["currency"]) == (33000, "krw")


def test_a_json_body_is_refused(sandbox: Sandbox) -> None:
    body = '{"amount": 33000, "currency": "krw"}'
    refused(sandbox.call("POST", "/v1/payment_intents", body, Content_Type="application/json"))


def test_the_key_and_the_version_are_demanded(sandbox: Sandbox) -> None:
    path = "/v1/payment_intents"
    refused(sandbox.http.get(path), 401)
    refused(sandbox.call("GET", path, Authorization="Bearer sk_test_somebody_else"), 401)
    refused(sandbox.call("GET", path, Authorization="Bearer sk_live_sandboxsecretkey"), 401)
    error = refused(sandbox.call("GET", path, Authorization=f"Bearer {PUBLISHABLE_KEY}"), 401)
    assert error["code"] == "secret_key_required"
    refused(sandbox.call("GET", path, Stripe_Version="2024-06-20"))


def test_what_is_not_built_says_so(sandbox: Sandbox) -> None:
    assert "Unrecognized request URL" in refused(sandbox.call("GET", "/v1/customers"), 404)["message"]
    refused(sandbox.call("DELETE", "/v1/payment_intents/pi_1"), 404)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "created[at]=1", "starting_after=pi_x"])
def test_list_parameters_are_checked(sandbox: Sandbox, query: str) -> None:
    refused(sandbox.call("GET", f"/v1/payment_intents?{query}"))


def test_metadata_merges_unsets_and_has_limits(sandbox: Sandbox) -> None:
    made = sandbox.call(
        "POST", "/v1/payment_intents", f"{GOOD}&metadata[order_number]=PB-1&metadata[0]=zero"
    ).json()
    path = f"/v1/payment_intents/{made['id']}"
    assert made["metadata"] == {"order_number": "PB-1", "0": "zero"}

    merged = sandbox.call("POST", path, "metadata[app]=playbill&metadata[0]=").json()
    assert merged["metadata"] == {"order_number": "PB-1", "app": "playbill"}
    for bad in (
        f"metadata[{'k' * 41}]=v",
        f"metadata[k]={'v' * 501}",
        "&".join(f"metadata[k{n}]=v" for n in range(49)),
        "metadata[a][b]=c",
        "metadata=text",
    ):
        refused(sandbox.call("POST", path, bad))
    assert sandbox.call("GET", path).json()["metadata"] == merged["metadata"]
    assert sandbox.call("POST", path, "metadata=").json()["metadata"] == {}


def test_korean_text_arrives_as_it_was_sent(sandbox: Sandbox) -> None:
    body = "amount=33000&currency=krw&description=%ED%95%9C%EA%B5%AD%EC%96%B4+%EA%B0%95%EC%9D%98"
    assert sandbox.call("POST", "/v1/payment_intents", body).json()["description"] == "한국어 강의"
    refused(sandbox.call("POST", "/v1/payment_intents", "amount=33000&currency=krw&description=%FF%FE"))


def test_the_request_log_tells_calls_and_hides_secrets(sandbox: Sandbox) -> None:
    sandbox.call("POST", "/v1/payment_intents", f"{GOOD}&expand[]=latest_charge", Idempotency_Key="order-1")
    sandbox.browse(
        "POST",
        "/v1/payment_methods",
        {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "1", "card[exp_year]": "40"},
    )
    first, second = sandbox.look("requests")
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/payment_intents", 200)
    assert first["params"] == {"amount": "33000", "currency": "krw", "expand": ["latest_charge"]}
    assert first["headers"]["idempotency-key"] == "order-1"
    assert first["headers"]["authorization"] == "Bearer sk_test_***"
    assert second["params"]["card"]["number"] == "************4242"
    assert "sandboxpublishablekey" not in str(second)


def test_every_parameter_type_of_every_call_has_a_check() -> None:
    seen: set[type] = set()

    def walk(hint: Any) -> None:
        if get_origin(hint) in (Union, UnionType, list, dict):
            for part in get_args(hint):
                walk(part)
        elif is_typeddict(hint):
            if hint not in seen:
                seen.add(hint)
                for field in schema.fields_of(hint)[0].values():
                    walk(field)
        else:
            known = hint in (str, int, bool) or get_origin(hint) is Literal
            assert known or get_origin(hint) is UntypedStripeObject, hint

    for endpoint in ENDPOINTS:
        for params in filter(None, (endpoint.params, endpoint.browser_params)):
            walk(params)
    assert len(seen) > 300
