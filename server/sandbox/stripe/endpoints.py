"""The calls of /v1 that the stand-in knows."""

from stripe.params._balance_transaction_retrieve_params import BalanceTransactionRetrieveParams
from stripe.params._charge_list_params import ChargeListParams
from stripe.params._charge_retrieve_params import ChargeRetrieveParams
from stripe.params._dispute_close_params import DisputeCloseParams
from stripe.params._dispute_list_params import DisputeListParams
from stripe.params._dispute_retrieve_params import DisputeRetrieveParams
from stripe.params._dispute_update_params import DisputeUpdateParams
from stripe.params._event_list_params import EventListParams
from stripe.params._event_retrieve_params import EventRetrieveParams
from stripe.params._payment_intent_cancel_params import PaymentIntentCancelParams
from stripe.params._payment_intent_confirm_params import PaymentIntentConfirmParams
from stripe.params._payment_intent_create_params import PaymentIntentCreateParams
from stripe.params._payment_intent_list_params import PaymentIntentListParams
from stripe.params._payment_intent_retrieve_params import PaymentIntentRetrieveParams
from stripe.params._payment_intent_update_params import PaymentIntentUpdateParams
from stripe.params._payment_method_retrieve_params import PaymentMethodRetrieveParams
from stripe.params._refund_create_params import RefundCreateParams
from stripe.params._refund_list_params import RefundListParams
from stripe.params._refund_retrieve_params import RefundRetrieveParams
from stripe.params._webhook_endpoint_create_params import WebhookEndpointCreateParams
from stripe.params._webhook_endpoint_delete_params import WebhookEndpointDeleteParams
from stripe.params._webhook_endpoint_list_params import WebhookEndpointListParams
from stripe.params._webhook_endpoint_retrieve_params import WebhookEndpointRetrieveParams
from stripe.params._webhook_endpoint_update_params import WebhookEndpointUpdateParams
from stripe.params.radar._early_fraud_warning_list_params import EarlyFraudWarningListParams
from stripe.params.radar._early_fraud_warning_retrieve_params import EarlyFraudWarningRetrieveParams

from . import cards, disputes, fraud, methods, payments, refunds, webhook_endpoints
from .api import Call, Endpoint
from .browser_params import BrowserConfirmParams, BrowserPaymentMethodParams, BrowserRetrieveParams
from .errors import Fault, Json
from .events import EventFilter
from .lists import matching, page
from .state import State


def create_intent(call: Call) -> Json:
    _check_modes(call.params)
    if call.params.get("confirm"):
        _demand_return_url(call.params.get("automatic_payment_methods", {"enabled": True}), call.params)
    return payments.create(call.state, call.config, call.params)


def retrieve_intent(call: Call) -> Json:
    intent = _found(call, "payment_intent", "intent")
    _demand_client_secret(call, intent)
    return intent


def list_intents(call: Call) -> Json:
    return page(call.state, "payment_intent", call.params, matching(call.params, "customer"))


def update_intent(call: Call) -> Json:
    _check_modes(call.params)
    return payments.change(call.state, _found(call, "payment_intent", "intent"), call.params)


def confirm_intent(call: Call) -> Json:
    intent = _found(call, "payment_intent", "intent")
    _demand_client_secret(call, intent)
    _check_modes(call.params)
    if not call.by_browser:
        _demand_return_url(intent["automatic_payment_methods"], call.params)
    if intent["status"] not in payments.OPEN:
        raise payments.unexpected_state(intent, "confirmed")
    if form := call.params.get("elements"):
        methods.check_form(intent, form)
    data = call.params.get("payment_method_data")
    if data and call.params.get("payment_method"):
        message = "You may only specify one of these parameters: payment_method, payment_method_data."
        raise Fault.parameter("payment_method_data", message, "parameters_exclusive")
    if data and data["type"] != methods.CARD:
        raise methods.refuse(intent, data["type"])
    method = typed_card(call.state, data) if data else None
    return payments.confirm(call.state, call.config, intent, call.params, method)


def cancel_intent(call: Call) -> Json:
    intent = _found(call, "payment_intent", "intent")
    return payments.cancel(call.state, intent, call.params.get("cancellation_reason"))


def create_payment_method(call: Call) -> Json:
    if call.params["type"] != methods.CARD:
        raise Fault.unsupported("type", "methods other than cards")
    return typed_card(call.state, call.params)


def retrieve_payment_method(call: Call) -> Json:
    return payments.method_named(call.state, call.ids[0], "payment_method", status=404)


def retrieve_charge(call: Call) -> Json:
    return _found(call, "charge", "id")


def list_charges(call: Call) -> Json:
    return page(call.state, "charge", call.params, matching(call.params, "customer", "payment_intent"))


def create_refund(call: Call) -> Json:
    return refunds.create(call.state, call.params)


def retrieve_refund(call: Call) -> Json:
    return _found(call, "refund", "id")


def list_refunds(call: Call) -> Json:
    return page(call.state, "refund", call.params, matching(call.params, "charge", "payment_intent"))


def retrieve_dispute(call: Call) -> Json:
    return _found(call, "dispute", "dispute")


def list_disputes(call: Call) -> Json:
    return page(call.state, "dispute", call.params, matching(call.params, "charge", "payment_intent"))


def update_dispute(call: Call) -> Json:
    return disputes.change(call.state, _found(call, "dispute", "dispute"), call.params)


def close_dispute(call: Call) -> Json:
    """The merchant accepts the loss."""
    return disputes.close(call.state, _found(call, "dispute", "dispute"), won=False)


def retrieve_warning(call: Call) -> Json:
    return _found(call, fraud.KIND, "early_fraud_warning")


def list_warnings(call: Call) -> Json:
    return page(call.state, fraud.KIND, call.params, matching(call.params, "charge", "payment_intent"))


def retrieve_event(call: Call) -> Json:
    return _found(call, "event", "id")


def list_events(call: Call) -> Json:
    params = call.params
    if "type" in params and "types" in params:
        message = "You may only specify one of these parameters: type, types."
        raise Fault.parameter("types", message, "parameters_exclusive")
    types = params.get("types", [params["type"]] if "type" in params else [])
    if len(types) > 20:
        raise Fault.parameter("types", "You may list up to 20 event types.")
    wanted = EventFilter(tuple(types), params.get("delivery_success"))
    return page(call.state, "event", params, wanted.takes)


def retrieve_balance_transaction(call: Call) -> Json:
    return _found(call, "balance_transaction", "id")


def create_webhook_endpoint(call: Call) -> Json:
    return webhook_endpoints.create(call.state, call.params)


def retrieve_webhook_endpoint(call: Call) -> Json:
    return webhook_endpoints.shown(_webhook_endpoint(call))


def list_webhook_endpoints(call: Call) -> Json:
    listed = page(call.state, webhook_endpoints.KIND, call.params)
    return listed | {"data": [webhook_endpoints.shown(one) for one in listed["data"]]}


def update_webhook_endpoint(call: Call) -> Json:
    return webhook_endpoints.change(call.state, _webhook_endpoint(call), call.params)


def delete_webhook_endpoint(call: Call) -> Json:
    return webhook_endpoints.remove(call.state, _webhook_endpoint(call))


def _webhook_endpoint(call: Call) -> Json:
    return _found(call, webhook_endpoints.KIND, "webhook_endpoint")


def typed_card(state: State, data: Json) -> Json:
    """A PaymentMethod from what a buyer typed; raises the 402 of a card that cannot exist."""
    typed = data.get("card")
    if typed is None:
        raise Fault.parameter("card", "Missing required param: card.", "parameter_missing")
    card = cards.by_number(typed["number"])
    year = cards.check_expiry(typed["exp_month"], typed["exp_year"])
    cvc = typed.get("cvc")
    if cvc is not None:
        cards.check_cvc(cvc, card.brand)
    billing = data.get("billing_details", {})
    return payments.new_card_method(
        state, card, (typed["exp_month"], year), billing, cvc_given=cvc is not None
    )


def _found(call: Call, kind: str, param: str) -> Json:
    found = call.state.get(kind, call.ids[0])
    if found is None:
        raise Fault.missing(kind, call.ids[0], param, status=404)
    return found


def _demand_client_secret(call: Call, intent: Json) -> None:
    given = call.params.get("client_secret")
    if (given is not None or call.by_browser) and given != intent["client_secret"]:
        raise Fault.missing("payment_intent", call.ids[0], "intent", status=404)


def _demand_return_url(methods: Json | None, params: Json) -> None:
    redirects = methods is not None and methods.get("allow_redirects", "always") == "always"
    if redirects and not params.get("return_url") and not params.get("use_stripe_sdk"):
        message = (
            "This PaymentIntent accepts methods that might redirect the buyer: provide a `return_url`,"
            " or set automatic_payment_methods[allow_redirects] to `never`."
        )
        raise Fault.parameter("return_url", message)


def _check_modes(params: Json) -> None:
    if params.get("capture_method") == "manual":
        raise Fault.unsupported("capture_method", "manual capture")
    if customer := params.get("customer"):
        raise Fault.missing("customer", customer, "customer")


_ON_CONFIRM = frozenset(
    [
        "capture_method",
        "expand",
        "off_session",
        "payment_method",
        "payment_method_options",
        "receipt_email",
        "return_url",
        "setup_future_usage",
        "shipping",
        "use_stripe_sdk",
    ]
)
_ON_UPDATE = (_ON_CONFIRM - {"off_session", "return_url", "use_stripe_sdk"}) | frozenset(
    [
        "amount",
        "currency",
        "customer",
        "description",
        "metadata",
        "statement_descriptor",
        "statement_descriptor_suffix",
    ]
)
_ON_CREATE = (
    _ON_CONFIRM
    | _ON_UPDATE
    | frozenset(
        [
            "allowed_payment_method_types",
            "automatic_payment_methods",
            "confirm",
            "excluded_payment_method_types",
        ]
    )
)
_ON_REFUND = frozenset(["amount", "charge", "expand", "metadata", "payment_intent", "reason"])

_ON_WEBHOOK_ENDPOINT = frozenset(
    ["api_version", "description", "enabled_events", "expand", "metadata", "url"]
)

_INTENT = "payment_intent"
_HOOK = webhook_endpoints.KIND
ENDPOINTS = (
    Endpoint(
        "POST", "/v1/payment_intents", _INTENT, create_intent, PaymentIntentCreateParams, supported=_ON_CREATE
    ),
    Endpoint("GET", "/v1/payment_intents", _INTENT, list_intents, PaymentIntentListParams, listed=True),
    Endpoint(
        "GET",
        "/v1/payment_intents/{id}",
        _INTENT,
        retrieve_intent,
        PaymentIntentRetrieveParams,
        BrowserRetrieveParams,
    ),
    Endpoint(
        "POST",
        "/v1/payment_intents/{id}",
        _INTENT,
        update_intent,
        PaymentIntentUpdateParams,
        supported=_ON_UPDATE,
    ),
    Endpoint(
        "POST",
        "/v1/payment_intents/{id}/confirm",
        _INTENT,
        confirm_intent,
        PaymentIntentConfirmParams,
        BrowserConfirmParams,
        supported=_ON_CONFIRM,
    ),
    Endpoint("POST", "/v1/payment_intents/{id}/cancel", _INTENT, cancel_intent, PaymentIntentCancelParams),
    Endpoint(
        "POST",
        "/v1/payment_methods",
        "payment_method",
        create_payment_method,
        browser_params=BrowserPaymentMethodParams,
    ),
    Endpoint(
        "GET",
        "/v1/payment_methods/{id}",
        "payment_method",
        retrieve_payment_method,
        PaymentMethodRetrieveParams,
    ),
    Endpoint("GET", "/v1/charges", "charge", list_charges, ChargeListParams, listed=True),
    Endpoint("GET", "/v1/charges/{id}", "charge", retrieve_charge, ChargeRetrieveParams),
    Endpoint("POST", "/v1/refunds", "refund", create_refund, RefundCreateParams, supported=_ON_REFUND),
    Endpoint("GET", "/v1/refunds", "refund", list_refunds, RefundListParams, listed=True),
    Endpoint("GET", "/v1/refunds/{id}", "refund", retrieve_refund, RefundRetrieveParams),
    Endpoint("GET", "/v1/disputes", "dispute", list_disputes, DisputeListParams, listed=True),
    Endpoint("GET", "/v1/disputes/{id}", "dispute", retrieve_dispute, DisputeRetrieveParams),
    Endpoint("POST", "/v1/disputes/{id}", "dispute", update_dispute, DisputeUpdateParams),
    Endpoint("POST", "/v1/disputes/{id}/close", "dispute", close_dispute, DisputeCloseParams),
    Endpoint(
        "GET",
        "/v1/radar/early_fraud_warnings",
        fraud.KIND,
        list_warnings,
        EarlyFraudWarningListParams,
        listed=True,
    ),
    Endpoint(
        "GET",
        "/v1/radar/early_fraud_warnings/{id}",
        fraud.KIND,
        retrieve_warning,
        EarlyFraudWarningRetrieveParams,
    ),
    Endpoint("GET", "/v1/events", "event", list_events, EventListParams, listed=True),
    Endpoint("GET", "/v1/events/{id}", "event", retrieve_event, EventRetrieveParams),
    Endpoint(
        "POST",
        "/v1/webhook_endpoints",
        _HOOK,
        create_webhook_endpoint,
        WebhookEndpointCreateParams,
        supported=_ON_WEBHOOK_ENDPOINT,
    ),
    Endpoint(
        "GET", "/v1/webhook_endpoints", _HOOK, list_webhook_endpoints, WebhookEndpointListParams, listed=True
    ),
    Endpoint(
        "GET",
        "/v1/webhook_endpoints/{id}",
        _HOOK,
        retrieve_webhook_endpoint,
        WebhookEndpointRetrieveParams,
    ),
    Endpoint(
        "POST", "/v1/webhook_endpoints/{id}", _HOOK, update_webhook_endpoint, WebhookEndpointUpdateParams
    ),
    Endpoint(
        "DELETE", "/v1/webhook_endpoints/{id}", _HOOK, delete_webhook_endpoint, WebhookEndpointDeleteParams
    ),
    Endpoint(
        "GET",
        "/v1/balance_transactions/{id}",
        "balance_transaction",
        retrieve_balance_transaction,
        BalanceTransactionRetrieveParams,
    ),
)
