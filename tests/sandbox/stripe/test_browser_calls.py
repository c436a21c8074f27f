import httpx
import pytest

from tests.sandbox.stripe.support import PUBLISHABLE_KEY, Json, Sandbox


def new_intent(sandbox: Sandbox) -> Json:
    body = (
        "amount=33000&currency=krw&metadata[order_number]=PB-1"
        "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never"
    )
    intent: Json = sandbox.call("POST", "/v1/payment_intents", body).json()
    return intent


def pay(
    sandbox: Sandbox, intent: Json, number: str = "4242 4242 4242 4242", **changes: str
) -> httpx.Response:
    card = "payment_method_data[card]"
    form = {
        "client_secret": intent["client_secret"],
        "return_url": "http://127.0.0.1:8000/orders/PB-1",
        "payment_method_data[type]": "card",
        "payment_method_data[billing_details][email]": "buyer@example.com",
        "payment_method_data[billing_details][address][country]": "KR",
        f"{card}[number]": number,
        f"{card}[exp_month]": "12",
        f"{card}[exp_year]": "34",
        f"{card}[cvc]": "123",
        **changes,
    }
    return sandbox.browse("POST", f"/v1/payment_intents/{intent['id']}/confirm", form)


def test_a_browser_pays_and_sees_only_what_is_the_buyers(sandbox: Sandbox) -> None:
    intent = new_intent(sandbox)
    answer = pay(sandbox, intent)
    paid = answer.json()
    assert (answer.status_code, paid["status"], paid["amount"]) == (200, "succeeded", 33000)
    assert not paid.keys() & {"metadata", "customer", "latest_charge", "amount_received", "review"}

    path = f"/v1/payment_intents/{intent['id']}"
    seen = sandbox.browse("GET", path, {"client_secret": intent["client_secret"]}).json()
    assert seen == paid
    charge = sandbox.look("overview")["charge"][0]
    assert charge["billing_details"]["email"] == "buyer@example.com"
    assert charge["payment_method_details"]["card"]["exp_year"] == 2034


def test_a_wrong_client_secret_opens_nothing(sandbox: Sandbox) -> None:
    intent = new_intent(sandbox)
    path = f"/v1/payment_intents/{intent['id']}"
    assert sandbox.browse("GET", path, {"client_secret": f"{intent['id']}_secret_x"}).status_code == 404
    missing = sandbox.browse("GET", path, {})
    assert (missing.status_code, missing.json()["error"]["code"]) == (400, "parameter_missing")
    wrong = pay(sandbox, {**intent, "client_secret": "x"})
    assert wrong.status_code == 404
    assert sandbox.call("GET", path).json()["status"] == "requires_payment_method"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("number", "4242424242424241", "incorrect_number"),
        ("number", "4242", "incorrect_number"),
        ("number", "４２４２４２４２４２４２４２４２", "incorrect_number"),
        ("exp_month", "13", "invalid_expiry_month"),
        ("exp_year", "20", "invalid_expiry_year"),
        ("cvc", "12", "invalid_cvc"),
        ("cvc", "١٢٣", "invalid_cvc"),
    ],
)
def test_a_card_that_cannot_exist_leaves_the_intent_alone(
    sandbox: Sandbox, field: str, value: str, code: str
) -> None:
    intent = new_intent(sandbox)
    answer = pay(sandbox, intent, **{f"payment_method_data[card][{field}]": value})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"], error["param"]) == (
        402,
        "card_error",
        code,
        field,
    )
    assert sandbox.event_types() == ["payment_intent.created"]


def test_a_decline_tells_the_browser_no_more_than_the_browser_may_see(sandbox: Sandbox) -> None:
    answer = pay(sandbox, new_intent(sandbox), "4000000000009995")
    error = answer.json()["error"]
    assert (answer.status_code, error["decline_code"]) == (402, "insufficient_funds")
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert "metadata" not in error["payment_intent"]


def test_noise_in_a_browsers_call_is_refused(sandbox: Sandbox) -> None:
    intent = new_intent(sandbox)
    error = pay(sandbox, intent, **{"payment_method_data[card][pin]": "1234"}).json()["error"]
    assert (error["code"], error["param"]) == ("parameter_unknown", "payment_method_data[card][pin]")


def test_browsers_on_other_sites_may_call_and_are_named(sandbox: Sandbox) -> None:
    page = {"Origin": "http://127.0.0.1:8000"}
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = sandbox.http.options("/v1/payment_intents/pi_1/confirm", headers={**page, **wanted})
    assert preflight.is_success
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    assert preflight.headers["access-control-max-age"] == "300"
    intent = new_intent(sandbox)
    address = f"/v1/payment_intents/{intent['id']}?client_secret={intent['client_secret']}"
    bearer = {"Authorization": f"Bearer {PUBLISHABLE_KEY}"}
    seen = sandbox.http.get(address, headers={**page, **bearer})
    refused = sandbox.http.get(address, headers=page)
    assert (seen.status_code, refused.status_code) == (200, 401)
    for answer in (preflight, seen, refused):
        assert answer.headers["access-control-allow-origin"] == page["Origin"]
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD, PUT, PATCH, POST, DELETE"
        assert "Request-Id" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
    assert sandbox.http.get(address, headers=bearer).headers["access-control-allow-origin"] == "*"


def test_a_payment_method_made_in_the_browser_can_pay(sandbox: Sandbox) -> None:
    made = sandbox.browse(
        "POST",
        "/v1/payment_methods",
        {
            "type": "card",
            "card[number]": "5555555555554444",
            "card[exp_month]": "12",
            "card[exp_year]": "2034",
            "card[cvc]": "123",
        },
    ).json()
    assert (made["object"], made["card"]["brand"]) == ("payment_method", "mastercard")
    intent = new_intent(sandbox)
    form = {"client_secret": intent["client_secret"], "payment_method": made["id"]}
    paid = sandbox.browse("POST", f"/v1/payment_intents/{intent['id']}/confirm", form).json()
    assert (paid["status"], paid["payment_method"]) == ("succeeded", made["id"])
