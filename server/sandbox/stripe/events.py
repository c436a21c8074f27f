"""The account's diary: one event for every change, with the object as it was at that moment."""

from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import uniform
from time import time
from typing import Any

from . import webhook_endpoints
from .config import API_VERSION
from .errors import Json
from .state import State, new_id, now

KEPT_DAYS = 30
_SHUFFLE_WITHIN_S = 0.4


def emit(state: State, kind: str, found: Json, previous: Json | None = None) -> Json:
    """Write an event, and a delivery for every endpoint that asked for its type.

    `previous`: the old values, for `*.updated` only.
    """
    data: Json = {"object": deepcopy(found)}
    if previous is not None:
        data["previous_attributes"] = previous
    endpoints = webhook_endpoints.listening(state, kind)
    event = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": {"id": state.cause.request_id, "idempotency_key": state.cause.idempotency_key},
        "type": kind,
    }
    state.put(event)
    for endpoint in endpoints:
        state.put(_delivery(state, event, endpoint))
    return event


def _delivery(state: State, event: Json, endpoint: Json) -> Json:
    chaos = state.settings
    due = time() + chaos.delay_ms / 1000 + (uniform(0, _SHUFFLE_WITHIN_S) if chaos.shuffle else 0)  # noqa: S311
    held = chaos.deliver == "manual"
    return {
        "id": new_id("dlv"),
        "object": "sandbox.delivery",
        "event": event["id"],
        "endpoint": endpoint["id"],
        "status": "held" if held else "pending",
        "due": None if held else due,
        "tries": 0,
        "attempts": [],
    }


def update(state: State, found: Json, kinds: tuple[str, ...], **changes: Any) -> None:
    """Change an object and tell it, with what the changed fields held before."""
    previous = {name: deepcopy(found.get(name)) for name in changes}
    found.update(changes)
    state.put(found)
    for kind in kinds:
        emit(state, kind, found, previous)


@dataclass(frozen=True)
class EventFilter:
    types: tuple[str, ...] = ()
    delivery_success: bool | None = None

    def takes(self, event: Json) -> bool:
        if self.types and not any(fnmatchcase(event["type"], wanted) for wanted in self.types):
            return False
        if self.delivery_success is not None and self.delivery_success != (event["pending_webhooks"] == 0):
            return False
        return bool(event["created"] > now() - KEPT_DAYS * 86_400)
