from .errors import Fault, Json
from .events import emit, update
from .fraud import look_again
from .metadata import merged
from .objects import balance_transaction
from .objects import refund as new_refund
from .payments import card_of, later
from .state import State

OUTCOME_AFTER_S = 0.5
"""How long a pending refund stays pending, and a failing one looks good."""


def create(state: State, params: Json) -> Json:
    charge = _charge_to_refund(state, params)
    amount = _amount(state, charge, params.get("amount"))
    metadata = merged({}, params.get("metadata", {}))
    return refund(state, charge, amount, params.get("reason"), metadata)


def refund(state: State, charge: Json, amount: int, reason: str | None, metadata: dict[str, str]) -> Json:
    """Send `amount` (minor units, checked before) back to the charge's card."""
    found = state.put(new_refund(charge, amount, reason, metadata))
    card = card_of(state, charge)
    if card.refund == "pending":
        found.update(status="pending", pending_reason="processing")
        later(state, "refund.succeed", found["id"], OUTCOME_AFTER_S)
    else:
        _book(state, found)
    if card.refund == "fails":
        later(state, "refund.fail", found["id"], OUTCOME_AFTER_S)
    _count(state, charge)
    emit(state, "refund.created", found)
    emit(state, "charge.refunded", charge)
    look_again(state, charge)
    return found


def refund_rest(state: State, charge: Json, amount: int | None) -> Json:
    """As a person in the dashboard does it: `amount`, or all that is left."""
    return refund(state, charge, _amount(state, charge, amount), None, {})


def succeed(state: State, found: Json) -> None:
    del found["pending_reason"]
    _book(state, found)
    update(state, found, ("refund.updated", "charge.refund.updated"), status="succeeded")


def fail(state: State, found: Json) -> None:
    """The bank sends the money back, after the refund has been called `succeeded`."""
    back = balance_transaction(state, found, "refund_failure", found["amount"], 0, at_once=True)
    found["failure_balance_transaction"] = back["id"]
    kinds = ("refund.updated", "charge.refund.updated", "refund.failed")
    update(state, found, kinds, status="failed", failure_reason="expired_or_canceled_card")
    charge = state.get("charge", found["charge"])
    assert charge is not None
    _count(state, charge)
    look_again(state, charge)


def _charge_to_refund(state: State, params: Json) -> Json:
    if "charge" in params and "payment_intent" in params:
        message = "You may only specify one of these parameters: charge, payment_intent."
        raise Fault.parameter("payment_intent", message, "parameters_exclusive")
    if charge_id := params.get("charge"):
        charge = state.get("charge", charge_id)
        if charge is None:
            raise Fault.missing("charge", charge_id, "charge")
        if not charge["paid"]:
            raise Fault(
                400, f"Charge {charge_id} was not paid; it cannot be refunded.", param="charge", kept=True
            )
        return charge
    if intent_id := params.get("payment_intent"):
        intent = state.get("payment_intent", intent_id)
        if intent is None:
            raise Fault.missing("payment_intent", intent_id, "payment_intent")
        if intent["status"] != "succeeded":
            message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            raise Fault(400, message, param="payment_intent", kept=True)
        charge = state.get("charge", intent["latest_charge"])
        assert charge is not None
        return charge
    message = "One of the following params should be provided for this request: payment_intent or charge."
    raise Fault.parameter("payment_intent", message, "parameter_missing")


def _amount(state: State, charge: Json, wanted: int | None) -> int:
    if wanted is not None and wanted < 1:
        message = "This value must be greater than or equal to 1."
        raise Fault.parameter("amount", message, "parameter_invalid_integer")
    for dispute in state.where("dispute", charge=charge["id"]):
        if not dispute["is_charge_refundable"] and dispute["status"] != "won":
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise Fault(400, message, code="charge_disputed", kept=True)
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise Fault(400, message, code="charge_already_refunded", kept=True)
    if wanted is not None and wanted > left:
        message = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
        raise Fault(400, message, param="amount", kept=True)
    return left if wanted is None else wanted


def _book(state: State, found: Json) -> None:
    # Stripe keeps its fee: only the amount goes back.
    booked = balance_transaction(state, found, "refund", -found["amount"], 0, at_once=True)
    found["balance_transaction"] = booked["id"]


def _count(state: State, charge: Json) -> None:
    back = [one["amount"] for one in state.where("refund", charge=charge["id"]) if one["status"] != "failed"]
    charge.update(amount_refunded=sum(back), refunded=sum(back) == charge["amount"])
    state.put(charge)
