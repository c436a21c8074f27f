from copy import deepcopy

from .errors import Fault, Json
from .state import State

_FIELDS: dict[str, dict[str, str]] = {
    "payment_intent": {"latest_charge": "charge", "payment_method": "payment_method", "customer": "customer"},
    "charge": {
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "refunds": "refund",
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "radar.early_fraud_warning": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_method": {"customer": "customer"},
    "balance_transaction": {"source": "charge"},
    "event": {},
    "webhook_endpoint": {},
    "customer": {},
}
_DEEPEST = 4


def expanded(state: State, found: Json, paths: list[str]) -> Json:
    """A copy of the answer in which the named ids (`latest_charge.balance_transaction`) are whole objects."""
    answer = deepcopy(found)
    for path in paths:
        _expand(state, [answer], path.split("."))
    return answer


def check_paths(kind: str, paths: list[str], *, listed: bool) -> None:
    """Raise Stripe's 400 for a path that leads nowhere, whatever the data is."""
    for path in paths:
        steps = path.split(".")
        fits = len(steps) <= _DEEPEST and steps[:1] == (["data"] if listed else steps[:1])
        if not (fits and _leads(kind, steps[1:] if listed else steps)):
            raise Fault.parameter("expand", f"This property cannot be expanded ({path}).")


def _leads(kind: str, steps: list[str]) -> bool:
    if not steps:
        return False
    field, *rest = steps
    if kind == "charge" and field == "refunds" and rest[:1] == ["data"]:
        return _leads("refund", rest[1:])
    target = _FIELDS[kind].get(field)
    return target is not None and (not rest or _leads(target, rest))


def _expand(state: State, nodes: list[Json], steps: list[str]) -> None:
    if not steps:
        return
    field, *rest = steps
    for node in nodes:
        if field == "data":
            _expand(state, node["data"], rest)
            continue
        if node["object"] == "charge" and field == "refunds" and "refunds" not in node:
            node["refunds"] = _refunds(state, node)
        if isinstance(node.get(field), str):
            node[field] = deepcopy(_target(state, node["object"], field, node[field]))
        if node.get(field) is not None:
            _expand(state, [node[field]], rest)


def _target(state: State, kind: str, field: str, object_id: str) -> Json | str:
    # The source of a balance transaction is a charge, a refund or a dispute.
    kinds = ("charge", "refund", "dispute") if field == "source" else (_FIELDS[kind][field],)
    return next((found for one in kinds if (found := state.get(one, object_id))), object_id)


def _refunds(state: State, charge: Json) -> Json:
    data = deepcopy(state.where("refund", charge=charge["id"])[::-1])
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/charges/{charge['id']}/refunds"}
