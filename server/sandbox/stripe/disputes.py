from . import objects
from .errors import Fault, Json
from .events import emit, update
from .fraud import look_again
from .metadata import merged
from .payments import later
from .state import State

FEE = 1500
"""What a lost or open dispute costs, in minor units of the settlement currency."""
VERDICT_AFTER_S = 0.5
OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")

_VERDICTS = {
    "winning_evidence": "dispute.win",
    "losing_evidence": "dispute.lose",
    "escalate_inquiry_evidence": "dispute.escalate",
}
"""Stripe's magic texts for `evidence.uncategorized_text`."""


def open_dispute(state: State, charge: Json, reason: str) -> Json:
    """A buyer's bank takes the money back, or with the reason `inquiry` only asks."""
    if not charge["paid"]:
        raise Fault(400, f"Charge {charge['id']} was not paid; nobody can dispute it.", kept=True)
    inquiry = reason == "inquiry"
    found = state.put(objects.dispute(charge, "general" if inquiry else reason, inquiry=inquiry))
    charge["disputed"] = True
    state.put(charge)
    if not inquiry:
        _withdraw(state, found)
    emit(state, "charge.dispute.created", found)
    if not inquiry:
        emit(state, "charge.dispute.funds_withdrawn", found)
    look_again(state, charge)
    return found


def close(state: State, found: Json, *, won: bool) -> Json:
    """The verdict. An inquiry just ends: no money moved."""
    _demand_open(found)
    if found["status"].startswith("warning"):
        return _closed(state, found, "warning_closed")
    if won:
        back = objects.balance_transaction(state, found, "adjustment", found["amount"], -FEE, at_once=True)
        found["balance_transactions"].append(back)
        _closed(state, found, "won")
        emit(state, "charge.dispute.funds_reinstated", found)
        return found
    return _closed(state, found, "lost")


def change(state: State, found: Json, params: Json) -> Json:
    """Evidence for the bank; `submit` (default) hands it over; Stripe's magic texts decide the outcome."""
    _demand_open(found)
    metadata = merged(found["metadata"], params.get("metadata", {}))
    evidence = {**found["evidence"], **(params.get("evidence") or {})}
    changes: Json = {"metadata": metadata, "evidence": evidence}
    if params.get("submit", True) and params.get("evidence"):
        details = found["evidence_details"]
        changes["evidence_details"] = {
            **details,
            "has_evidence": True,
            "submission_count": details["submission_count"] + 1,
        }
        warning = found["status"].startswith("warning")
        changes["status"] = "warning_under_review" if warning else "under_review"
        if verdict := _VERDICTS.get(evidence.get("uncategorized_text") or ""):
            later(state, verdict, found["id"], VERDICT_AFTER_S)
    update(state, found, ("charge.dispute.updated",), **changes)
    return found


def escalate(state: State, found: Json) -> None:
    """An inquiry becomes a chargeback."""
    if not found["status"].startswith("warning"):
        return
    _withdraw(state, found)
    found["payment_method_details"]["card"]["case_type"] = "chargeback"
    update(state, found, ("charge.dispute.updated",), status="needs_response", is_charge_refundable=False)
    emit(state, "charge.dispute.funds_withdrawn", found)


def _demand_open(found: Json) -> None:
    if found["status"] not in OPEN:
        raise Fault(400, f"This dispute is closed (status {found['status']}).", kept=True)


def _withdraw(state: State, found: Json) -> None:
    taken = objects.balance_transaction(state, found, "adjustment", -found["amount"], FEE, at_once=True)
    found["balance_transactions"].append(taken)


def _closed(state: State, found: Json, status: str) -> Json:
    found["status"] = status
    state.put(found)
    emit(state, "charge.dispute.closed", found)
    return found
