from collections.abc import Callable
from typing import Any

from .errors import Fault, Json
from .state import State

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def page(state: State, kind: str, params: Json, takes: Callable[[Json], bool] = lambda _: True) -> Json:
    """One page of a list, newest first; the order is that of making, also within one second."""
    limit = _limit(params.get("limit", 10))
    found = [one for one in reversed(state.all(kind)) if _in_time(one, params.get("created")) and takes(one)]
    if cursor := params.get("starting_after"):
        _demand(state, kind, cursor, "starting_after")
        older = _ids_older_than(state, kind, cursor)
        found = [one for one in found if one["id"] in older]
    if cursor := params.get("ending_before"):
        _demand(state, kind, cursor, "ending_before")
        older = _ids_older_than(state, kind, cursor)
        newer = [one for one in found if one["id"] not in older and one["id"] != cursor]
        return _list(kind, newer[-limit:], has_more=len(newer) > limit)
    return _list(kind, found[:limit], has_more=len(found) > limit)


def matching(params: Json, *names: str) -> Callable[[Json], bool]:
    """A filter on plain fields, of those that the caller named."""
    wanted = {name: params[name] for name in names if name in params}
    return lambda one: all(one[name] == value for name, value in wanted.items())


def _list(kind: str, data: list[Json], *, has_more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": f"/v1/{kind.replace('.', '/')}s"}


def _limit(limit: int) -> int:
    if 1 <= limit <= 100:
        return limit
    bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
    raise Fault.parameter("limit", f"This value must be {bound}.", "parameter_invalid_integer")


def _in_time(one: Json, created: Any) -> bool:
    if created is None:
        return True
    if isinstance(created, int):
        return bool(one["created"] == created)
    return all(_COMPARE[name](one["created"], bound) for name, bound in created.items())


def _demand(state: State, kind: str, cursor: str, param: str) -> None:
    if state.get(kind, cursor) is None:
        raise Fault.missing(kind, cursor, param)


def _ids_older_than(state: State, kind: str, cursor: str) -> set[str]:
    ids = [one["id"] for one in state.all(kind)]
    return set(ids[: ids.index(cursor)])
