"""Early fraud warnings: a buyer's bank calls a payment fraudulent before anybody has disputed it."""

from . import objects
from .errors import Fault, Json
from .events import emit, update
from .state import State

KIND = "radar.early_fraud_warning"


def warn(state: State, charge: Json) -> Json:
    """The bank's word. No money moves, and nothing else about the charge changes."""
    if not charge["paid"]:
        raise Fault(400, f"Charge {charge['id']} was not paid; no bank warns of it.", kept=True)
    found = state.put(objects.early_fraud_warning(charge, actionable=_is_actionable(charge)))
    emit(state, f"{KIND}.created", found)
    return found


def look_again(state: State, charge: Json) -> None:
    """After a refund or a dispute: a warning asks for nothing once the money is back or disputed."""
    actionable = _is_actionable(charge)
    for found in state.where(KIND, charge=charge["id"]):
        if found["actionable"] != actionable:
            update(state, found, (f"{KIND}.updated",), actionable=actionable)


def _is_actionable(charge: Json) -> bool:
    return not (charge["disputed"] or charge["refunded"])
