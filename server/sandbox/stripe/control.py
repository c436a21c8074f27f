"""What no real Stripe has: calls for tests and people under /_sandbox/."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import html
from sanic.response import json as json_response

from . import cards, disputes, fraud, payments, refunds, webhook_endpoints
from .config import Config
from .errors import Fault, Json
from .money import decimals
from .objects import client_view
from .state import State

bp = Blueprint("stripe_control", url_prefix="/_sandbox")

_PAGE = Path(__file__).with_name("control.html")
_ALLOWED: dict[str, Callable[[Any], bool]] = {
    "deliver": lambda value: value in ("now", "manual"),
    "delay_ms": lambda value: _whole(value) and value >= 0,
    "duplicate": lambda value: _whole(value) and 1 <= value <= 50,
    "fail_rate": lambda value: isinstance(value, int | float) and 0 <= value <= 1,
    "shuffle": lambda value: isinstance(value, bool),
    "signature": lambda value: value in ("good", "old", "wrong_secret", "v0_only", "rotated"),
    "processing": lambda value: isinstance(value, bool),
    "api_delay_ms": lambda value: _whole(value) and value >= 0,
    "api_fail": lambda value: value in (None, "429", "lock_timeout", "500", "502", "drop"),
    "api_only": lambda value: value is None or isinstance(value, str),
}

Act = Callable[..., Awaitable[Json | list[Json]]]


def answer(act: Act) -> Callable[..., Awaitable[HTTPResponse]]:
    """Send what the act returns as JSON, and a `Fault` in Stripe's shape."""

    @wraps(act)
    async def view(request: Request, **ids: str) -> HTTPResponse:
        try:
            return json_response(await act(request, **ids))
        except Fault as fault:
            return json_response(fault.body(), fault.status)
        finally:
            _state(request).flush()

    return view


@bp.get("/")
async def people_page(request: Request) -> HTTPResponse:
    return html(_PAGE.read_text(encoding="utf-8"))


@bp.get("/healthz")
@answer
async def healthz(request: Request) -> Json:
    return {"ok": True}


@bp.get("/requests")
@answer
async def requests(request: Request) -> list[Json]:
    return list(request.app.ctx.api.log.entries)


@bp.get("/events")
@answer
async def events(request: Request) -> list[Json]:
    return _state(request).all("event")


@bp.get("/overview")
@answer
async def overview(request: Request) -> Json:
    """All that the page for people shows besides events and requests."""
    state = _state(request)
    names = ("payment_intent", "charge", "refund", "dispute", "webhook_endpoint", "sandbox.delivery")
    return {name.removeprefix("sandbox."): state.all(name) for name in names}


@bp.post("/events/<event_id:str>/deliver")
@answer
async def deliver(request: Request, event_id: str) -> Json:
    """Deliver now, whatever the settings say: `{event, attempts: [{url, status, answer, at}]}`."""
    event = _get(request, "event", event_id)
    return {"event": event["id"], "attempts": await request.app.ctx.courier.deliver_now(event)}


@bp.get("/webhook_endpoints")
@answer
async def list_webhook_endpoints(request: Request) -> list[Json]:
    return _state(request).all("webhook_endpoint")


@bp.post("/webhook_endpoints")
@answer
async def add_webhook_endpoint(request: Request) -> Json:
    """Add `{url, secret, enabled_events?}`; a known URL gets the new secret and, if named, types."""
    body = _body(request, {"url", "secret", "enabled_events"})
    url, secret, events = body.get("url"), body.get("secret"), body.get("enabled_events")
    if not (isinstance(url, str) and isinstance(secret, str) and url and secret):
        raise Fault.parameter("url", "url and secret are needed, both strings.")
    if events is not None and not (isinstance(events, list) and all(isinstance(one, str) for one in events)):
        raise Fault.parameter("enabled_events", "enabled_events is a list of event types.")
    return webhook_endpoints.register(_state(request), url, secret, events)


@bp.delete("/webhook_endpoints/<endpoint_id:str>")
@answer
async def remove_webhook_endpoint(request: Request, endpoint_id: str) -> Json:
    endpoint = _get(request, "webhook_endpoint", endpoint_id)
    _state(request).drop(endpoint)
    return endpoint


@bp.get("/settings")
@answer
async def settings(request: Request) -> Json:
    return asdict(_state(request).settings)


@bp.post("/settings")
@answer
async def change_settings(request: Request) -> Json:
    """A partial update; what does not fit changes nothing."""
    body = _body(request, set(_ALLOWED))
    for name, value in body.items():
        if not _ALLOWED[name](value):
            raise Fault.parameter(name, f"Invalid {name}: {value!r}")
    state = _state(request)
    state.change_settings(replace(state.settings, **body))
    return asdict(state.settings)


@bp.post("/reset")
@answer
async def reset(request: Request) -> Json:
    """Forget everything: objects, events, stored answers, requests, settings, endpoints added later."""
    state = _state(request)
    state.clear()
    request.app.ctx.api.log.entries.clear()
    register_configured_endpoint(state, _config(request))
    request.app.ctx.reset_browser()
    return asdict(state.settings)


@bp.post("/confirm/<intent_id:str>")
@answer
async def confirm(request: Request, intent_id: str) -> Json:
    """What a buyer's browser would do: pay with `card`, then `outcome` in 3-D Secure; returns the intent."""
    body = _body(request, {"card", "outcome"})
    outcome = body.get("outcome", "complete")
    if outcome not in ("complete", "fail", "abandon"):
        raise Fault.parameter("outcome", "Invalid outcome: must be one of complete, fail, abandon")
    state, config = _state(request), _config(request)
    intent = _get(request, "payment_intent", intent_id)
    method = _method(state, intent, str(body.get("card", "4242424242424242")))
    try:
        payments.confirm(state, config, intent, {}, method)
    except Fault as fault:
        if fault.type != "card_error":
            raise
    if intent["status"] == "requires_action" and outcome != "abandon":
        payments.finish_challenge(state, config, intent, outcome)
    return intent


@bp.post("/3ds/<payment_intent:str>")
@answer
async def finish_challenge(request: Request, payment_intent: str) -> Json:
    """The buttons of the 3-D Secure page: `{client_secret, outcome}`; returns what a browser may see."""
    body = _body(request, {"client_secret", "outcome"})
    intent = _get(request, "payment_intent", payment_intent)
    if body.get("client_secret") != intent["client_secret"]:
        raise Fault.missing("payment_intent", payment_intent, "intent", status=404)
    outcome = body.get("outcome")
    if outcome not in ("complete", "fail"):
        raise Fault.parameter("outcome", "Invalid outcome: must be one of complete, fail")
    return client_view(payments.finish_challenge(_state(request), _config(request), intent, outcome))


@bp.post("/processing/<intent_id:str>")
@answer
async def finish_processing(request: Request, intent_id: str) -> Json:
    """How a payment on its way ended: `{outcome}`; returns the intent."""
    outcome = _body(request, {"outcome"}).get("outcome")
    if outcome not in ("succeed", "fail"):
        raise Fault.parameter("outcome", "Invalid outcome: must be one of succeed, fail")
    return payments.finish_processing(_state(request), _get(request, "payment_intent", intent_id), outcome)


@bp.post("/charges/<charge_id:str>/dispute")
@answer
async def dispute(request: Request, charge_id: str) -> Json:
    return disputes.open_dispute(_state(request), _get(request, "charge", charge_id), "fraudulent")


@bp.post("/charges/<charge_id:str>/early_fraud_warning")
@answer
async def early_fraud_warning(request: Request, charge_id: str) -> Json:
    return fraud.warn(_state(request), _get(request, "charge", charge_id))


@bp.post("/disputes/<dispute_id:str>/close")
@answer
async def close_dispute(request: Request, dispute_id: str) -> Json:
    body = _body(request, {"won"})
    if not isinstance(body.get("won"), bool):
        raise Fault.parameter("won", "won is needed: true or false.")
    return disputes.close(_state(request), _get(request, "dispute", dispute_id), won=body["won"])


@bp.post("/charges/<charge_id:str>/refund")
@answer
async def refund(request: Request, charge_id: str) -> Json:
    """A refund as made in the dashboard: `{amount?}` in minor units, else all that is left."""
    amount = _body(request, {"amount"}).get("amount")
    if amount is not None and not _whole(amount):
        raise Fault.parameter("amount", f"Invalid integer: {amount}", "parameter_invalid_integer")
    charge = _get(request, "charge", charge_id)
    if not charge["paid"]:
        raise Fault(400, f"Charge {charge_id} was not paid; it cannot be refunded.")
    return refunds.refund_rest(_state(request), charge, amount)


@bp.get("/receipts/<charge_id:str>")
async def receipt(request: Request, charge_id: str) -> HTTPResponse:
    """Where a charge's `receipt_url` leads."""
    charge = _state(request).get("charge", charge_id)
    if charge is None:
        return html("<!doctype html><title>No receipt</title><p>No such receipt.</p>", 404)
    places = decimals(charge["currency"])
    amount = f"{charge['amount'] / 10**places:,.{places}f} {charge['currency'].upper()}"
    card = charge["payment_method_details"]["card"]
    return html(
        f"<!doctype html><meta charset=utf-8><title>Receipt</title><h1>Receipt (sandbox)</h1>"
        f"<p>{escape(amount)}, {escape(card['brand'])} ···· {escape(card['last4'])}</p>"
        f"<p>{escape(charge['description'] or '')}</p>"
        "<p>Nobody paid anything: this is a stand-in of Stripe.</p>"
    )


def register_configured_endpoint(state: State, config: Config) -> None:
    if config.webhook_url and config.webhook_secret:
        webhook_endpoints.register(state, config.webhook_url, config.webhook_secret)


def _method(state: State, intent: Json, card: str) -> Json:
    if card.startswith("pm_"):
        return payments.method_named(state, card, "card")
    billing = {"email": intent["receipt_email"]}
    known = cards.by_number(card)
    return payments.new_card_method(state, known, (12, cards.good_year()), billing, cvc_given=True)


def _state(request: Request) -> State:
    state: State = request.app.ctx.state
    return state


def _config(request: Request) -> Config:
    config: Config = request.app.ctx.config
    return config


def _get(request: Request, kind: str, object_id: str) -> Json:
    found = _state(request).get(kind, object_id)
    if found is None:
        raise Fault.missing(kind, object_id, "id", status=404)
    return found


def _body(request: Request, known: set[str]) -> Json:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Fault(400, "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Fault(400, "The body is not a JSON object.")
    if unknown := sorted(body.keys() - known):
        raise Fault.parameter(unknown[0], f"Received unknown parameter: {unknown[0]}", "parameter_unknown")
    return body


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
