"""The PaymentIntent's life: created, confirmed, challenged, paid or declined, canceled."""

from copy import deepcopy
from time import time
from typing import Any, Literal

from . import cards, methods, objects
from .cards import Card, Decline
from .config import Config
from .errors import Fault, Json
from .events import emit, update
from .metadata import merged
from .money import check_amount, settled
from .state import State, new_id, now

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
"""The states in which an intent may still change its amount, be confirmed or be canceled."""

BALANCE_AFTER_S = 0.5
"""How long after a charge its balance transaction is known (at Stripe: up to an hour)."""
DISPUTE_AFTER_S = 0.5
_ON_ITS_WAY = {"status": "pending", "paid": False, "captured": False, "amount_captured": 0}


def create(state: State, config: Config, params: Json) -> Json:
    currency = params["currency"].lower()
    check_amount(params["amount"], currency)
    _check_plain(params)
    intent = objects.payment_intent(
        params["amount"],
        currency,
        _automatic(params),
        **{name: params[name] for name in _PLAIN if name in params},
        metadata=merged({}, params.get("metadata", {})),
    )
    intent["payment_method_types"] = methods.of_intent(intent)
    _take_options(intent, params)
    method = _wanted_method(state, params)
    for name in ("off_session", "return_url", "use_stripe_sdk"):
        if name in params and not params.get("confirm"):
            raise Fault.parameter(
                name, f"The parameter {name} can only be used together with `confirm=true`."
            )
    if method:
        intent.update(payment_method=method["id"], status="requires_confirmation")
    state.put(intent)
    emit(state, "payment_intent.created", intent)
    if params.get("confirm"):
        confirm(state, config, intent, params, method)
    return intent


def change(state: State, intent: Json, params: Json) -> Json:
    """Update. The amount moves only while the intent is open; texts and metadata at any time."""
    if "currency" in params:
        params = params | {"currency": params["currency"].lower()}
    moved = {name for name in ("amount", "currency", "payment_method") if name in params}
    if moved and intent["status"] not in OPEN:
        raise unexpected_state(intent, "updated", sorted(moved)[0])
    if moved & {"amount", "currency"}:
        wanted = {**intent, **params}
        check_amount(wanted["amount"], wanted["currency"])
    _check_plain(params)
    metadata = merged(intent["metadata"], params.get("metadata", {}))
    method = _wanted_method(state, params)
    _take_options(intent, params)
    intent.update({name: params[name] or None for name in _PLAIN if name in params}, metadata=metadata)
    intent.update(
        {name: params[name] for name in ("amount", "currency") if name in params}, last_payment_error=None
    )
    intent["payment_method_types"] = methods.of_intent(intent)
    if method:
        intent.update(payment_method=method["id"])
    if moved and intent["payment_method"]:
        # The buyer authenticated another amount or card: the challenge has to be asked again.
        intent.update(status="requires_confirmation", next_action=None)
    return state.put(intent)


def confirm(state: State, config: Config, intent: Json, params: Json, method: Json | None) -> Json:
    """Try to take the money with `method` (or the one named in `params`, or the intent's own).

    Raises the 402 `Fault` of a declined card after the decline has been recorded.
    """
    if intent["status"] not in OPEN:
        raise unexpected_state(intent, "confirmed")
    _check_plain(params)
    _take_options(intent, params)
    method = method or _wanted_method(state, params)
    if method:
        intent["payment_method"] = method["id"]
    if intent["payment_method"] is None:
        raise unexpected_state(intent, "confirmed", reason="it is missing a payment method")
    intent.update({name: params[name] for name in _PLAIN if name in params})
    card = _card_behind(state, intent["payment_method"])
    off_session = bool(params.get("off_session"))
    if not _needs_challenge(card, intent, off_session=off_session):
        failure = _attempt(state, config, intent, card, challenged=False)
    elif off_session:
        failure = _decline(state, intent, cards.AUTHENTICATION, None)
    else:
        _challenge(state, config, intent)
        failure = None
    if failure:
        raise failure
    return intent


def finish_challenge(
    state: State, config: Config, intent: Json, outcome: Literal["complete", "fail"]
) -> Json:
    """What the buyer did in the 3-D Secure frame; `last_payment_error` tells of a decline after it."""
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, "authenticated")
    card = _card_behind(state, intent["payment_method"])
    if outcome == "complete":
        _attempt(state, config, intent, card, challenged=True)
    else:
        message = (
            "We are unable to authenticate your payment method."
            " Please choose a different payment method and try again."
        )
        error = {
            "code": "payment_intent_authentication_failure",
            "message": message,
            "type": "invalid_request_error",
        }
        _fail(state, intent, error)
    return intent


def finish_processing(state: State, intent: Json, outcome: Literal["succeed", "fail"]) -> Json:
    """How a payment that was on its way ended, long after the buyer's browser was told so."""
    if intent["status"] != "processing":
        raise unexpected_state(intent, "settled")
    charge = state.get("charge", intent["latest_charge"])
    assert charge is not None
    if outcome == "succeed":
        charge.update(paid=True, captured=True, amount_captured=charge["amount"], status="succeeded")
        _take(state, intent, state.put(charge))
    else:
        declined = cards.GENERIC
        charge.update(status="failed", failure_code=declined.code, failure_message=declined.message)
        _decline(state, intent, declined, state.put(charge))
    return intent


def cancel(state: State, intent: Json, reason: str | None) -> Json:
    if intent["status"] not in OPEN:
        raise unexpected_state(intent, "canceled")
    intent.update(status="canceled", canceled_at=now(), cancellation_reason=reason, next_action=None)
    state.put(intent)
    emit(state, "payment_intent.canceled", intent)
    return intent


def new_card_method(
    state: State, card: Card, expiry: tuple[int, int], billing: Json, *, cvc_given: bool
) -> Json:
    method = state.put(
        objects.payment_method(card, expiry, objects.billing_details(billing), cvc_given=cvc_given)
    )
    state.put({"object": "sandbox.card", "id": f"card:{method['id']}", "number": card.number, "used": False})
    return method


def method_named(state: State, name: str, param: str, *, status: int = 400) -> Json:
    """The PaymentMethod `pm_…`, or a new one for a test id such as `pm_card_visa`."""
    if card := cards.by_token(name):
        return new_card_method(state, card, (12, cards.good_year()), {}, cvc_given=True)
    found = state.get("payment_method", name)
    if found is None:
        raise Fault.missing("PaymentMethod", name, param, status=status)
    return found


def settle_charge(state: State, charge: Json) -> None:
    """Asynchronous capture: the fee is known only some time after the payment."""
    card = _card_behind(state, charge["payment_method"])
    fee = round(settled(charge["amount"], charge["currency"])[0] * 0.036)
    booked = objects.balance_transaction(
        state, charge, "charge", charge["amount"], fee, at_once=card.available_at_once
    )
    update(state, charge, ("charge.updated",), balance_transaction=booked["id"])


def card_of(state: State, charge: Json) -> Card:
    return _card_behind(state, charge["payment_method"])


def later(state: State, act: str, target: str, seconds: float) -> None:
    timer = {
        "object": "sandbox.timer",
        "id": new_id("timer"),
        "act": act,
        "target": target,
        "due": time() + seconds,
    }
    state.put(timer)


def unexpected_state(intent: Json, verb: str, param: str | None = None, reason: str | None = None) -> Fault:
    reason = reason or f"it has a status of {intent['status']}"
    return Fault(
        400,
        f"This PaymentIntent cannot be {verb} because {reason}.",
        code="payment_intent_unexpected_state",
        param=param,
        kept=True,
        payment_intent=intent,
    )


_PLAIN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor_suffix",
    "excluded_payment_method_types",
    "allowed_payment_method_types",
)


def _check_plain(params: Json) -> None:
    if "statement_descriptor" in params:
        message = "The statement_descriptor parameter is not supported for card charges; use the suffix."
        raise Fault.parameter("statement_descriptor", message)
    if len(params.get("statement_descriptor_suffix", "")) > 22:
        raise Fault.parameter(
            "statement_descriptor_suffix", "The statement descriptor is limited to 22 characters."
        )
    email = params.get("receipt_email")
    if email and not ("@" in email[1:-1] and " " not in email):
        raise Fault.parameter("receipt_email", f"Invalid email address: {email}", "email_invalid")


def _automatic(params: Json) -> Json | None:
    given: Json | None = params.get("automatic_payment_methods")
    allowed = params.get("allowed_payment_method_types")
    if given and allowed:
        message = "You may only specify one of: automatic_payment_methods, allowed_payment_method_types."
        raise Fault.parameter("allowed_payment_method_types", message, "parameters_exclusive")
    if "card" in params.get("excluded_payment_method_types", []) or (allowed and "card" not in allowed):
        raise Fault.unsupported("allowed_payment_method_types", "payments without cards")
    if allowed or given == {"enabled": False}:
        return None
    return {"allow_redirects": "always", "enabled": True, **(given or {})}


def _take_options(intent: Json, params: Json) -> None:
    options = params.get("payment_method_options", {})
    if other := sorted(options.keys() - {"card"}):
        raise Fault.unsupported(f"payment_method_options[{other[0]}]", other[0])
    card = options.get("card") or {}
    if other := sorted(card.keys() - {"request_three_d_secure"}):
        raise Fault.unsupported(f"payment_method_options[card][{other[0]}]", other[0])
    intent["payment_method_options"]["card"].update(card)


def _wanted_method(state: State, params: Json) -> Json | None:
    name = params.get("payment_method")
    if not name:
        return None
    method = method_named(state, name, "payment_method")
    if (behind := state.get("sandbox.card", f"card:{method['id']}")) and behind["used"]:
        message = "This PaymentMethod was used before without a Customer, and may not be used again."
        raise Fault(400, message, param="payment_method")
    return method


def _card_behind(state: State, method_id: str) -> Card:
    behind = state.get("sandbox.card", f"card:{method_id}")
    assert behind is not None
    return cards.by_number(behind["number"])


def _needs_challenge(card: Card, intent: Json, *, off_session: bool) -> bool:
    if card.three_d_secure == "optional":
        wish = intent["payment_method_options"]["card"]["request_three_d_secure"]
        return wish in ("any", "challenge")
    return card.three_d_secure == "required" or (card.three_d_secure == "setup" and not off_session)


def _challenge(state: State, config: Config, intent: Json) -> None:
    page = f"{config.public_url}/_sandbox/3ds/{intent['id']}?client_secret={intent['client_secret']}"
    sdk = {"type": "three_d_secure_redirect", "stripe_js": page, "source": new_id("payatt")}
    intent.update(
        status="requires_action",
        next_action={"type": "use_stripe_sdk", "use_stripe_sdk": sdk},
        last_payment_error=None,
        latest_charge=None,
    )
    state.put(intent)
    emit(state, "payment_intent.requires_action", intent)


def _attempt(state: State, config: Config, intent: Json, card: Card, *, challenged: bool) -> Fault | None:
    method = state.get("payment_method", intent["payment_method"])
    assert method is not None
    charge = objects.charge(
        intent, method, card, challenged=challenged, receipts_url=f"{config.public_url}/_sandbox/receipts"
    )
    state.put(charge)
    intent["latest_charge"] = charge["id"]
    if card.decline:
        return _decline(state, intent, card.decline, charge)
    behind = state.get("sandbox.card", f"card:{method['id']}")
    assert behind is not None
    state.put(behind | {"used": True})
    if state.settings.processing:
        emit(state, "charge.pending", state.put(charge | _ON_ITS_WAY))
        intent.update(status="processing", next_action=None, last_payment_error=None)
        emit(state, "payment_intent.processing", state.put(intent))
    else:
        _take(state, intent, charge)
    return None


def _take(state: State, intent: Json, charge: Json) -> None:
    card = card_of(state, charge)
    emit(state, "charge.succeeded", charge)
    intent.update(
        status="succeeded", amount_received=intent["amount"], next_action=None, last_payment_error=None
    )
    state.put(intent)
    emit(state, "payment_intent.succeeded", intent)
    later(state, "charge.settle", charge["id"], BALANCE_AFTER_S)
    for reason in card.disputes:
        later(state, f"charge.dispute.{reason}", charge["id"], DISPUTE_AFTER_S)
    if card.warned:
        later(state, "charge.warn", charge["id"], DISPUTE_AFTER_S)


def _decline(state: State, intent: Json, decline: Decline, charge: Json | None) -> Fault:
    if charge:
        emit(state, "charge.failed", charge)
    error: dict[str, Any] = {
        "advice_code": decline.advice,
        "charge": charge["id"] if charge else None,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "param": decline.param,
        "type": "card_error",
    }
    error = {name: value for name, value in error.items() if value is not None}
    _fail(state, intent, error)
    facts = {name: value for name, value in error.items() if name not in ("type", "code", "message", "param")}
    facts["payment_intent"] = intent
    facts["payment_method"] = intent["last_payment_error"]["payment_method"]
    return Fault(
        402, decline.message, type_="card_error", code=decline.code, param=decline.param, kept=True, **facts
    )


def _fail(state: State, intent: Json, error: Json) -> None:
    method = deepcopy(state.get("payment_method", intent["payment_method"]))
    intent.update(
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error={**error, "payment_method": method},
    )
    state.put(intent)
    emit(state, "payment_intent.payment_failed", intent)
