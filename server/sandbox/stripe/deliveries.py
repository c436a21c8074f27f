"""Webhooks: signed, posted to every endpoint, tried again until somebody answers 2xx."""

import asyncio
import hmac
import json
import random
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from time import time
from typing import Any

import httpx

from . import webhook_endpoints
from .errors import Json
from .state import State

RETRY_PAUSES_S = (1, 2, 4, 8, 15, 30, 60, 120)
"""Stripe's schedule of days, compressed; after the last pause a delivery is given up."""
_TIMEOUT_S = 15.0
_OLD_S = 3600
_SOMEBODY_ELSES_SECRET = "whsec_of_another_endpoint"  # noqa: S105 - opens nothing
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "Accept": "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
}


class Courier:
    """Carries deliveries to the webhook endpoints, many at a time and in no promised order."""

    def __init__(self, state: State) -> None:
        self._state = state
        # An environment's proxy must not stand between two processes of one machine.
        self._http = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    def start_due(self) -> float | None:
        """Start what is due and say when (Unix time) the next delivery will be."""
        moment = time()
        waiting = []
        for delivery in self._state.where("sandbox.delivery", status="pending"):
            if delivery["id"] in self._under_way:
                continue
            if delivery["due"] > moment:
                waiting.append(delivery["due"])
                continue
            name = f"deliver {delivery['id']}"
            task = asyncio.create_task(self._try(delivery), name=name)
            self._under_way[delivery["id"]] = task
            task.add_done_callback(partial(self._forget, delivery["id"]))
        return min(waiting, default=None)

    def _forget(self, delivery_id: str, _: "asyncio.Task[None]") -> None:
        self._under_way.pop(delivery_id, None)

    async def deliver_now(self, event: Json) -> list[Json]:
        """Deliver one event at once, whatever settings and schedule say; the answers of all its endpoints."""
        known = {one["endpoint"]: one for one in self._state.where("sandbox.delivery", event=event["id"])}
        results: list[Json] = []
        for endpoint in webhook_endpoints.listening(self._state, event["type"]):
            attempts = await self._post_copies(event, endpoint)
            results += attempts
            if delivery := known.get(endpoint["id"]):
                self._record(delivery, event, attempts)
        self._state.flush()
        return results

    async def _try(self, delivery: Json) -> None:
        event = self._state.get("event", delivery["event"])
        endpoint = self._state.get("webhook_endpoint", delivery["endpoint"])
        if event is None:  # forgotten by a reset
            return
        if endpoint is None:
            self._state.put(delivery | {"status": "failed", "due": None})
            self._state.flush()
            return
        if random.random() < self._state.settings.fail_rate:  # noqa: S311
            attempts = [_attempt(endpoint, None, "lost on purpose")]
        else:
            attempts = await self._post_copies(event, endpoint)
        # A reset may have forgotten everything while the answer was on its way.
        if self._state.get("sandbox.delivery", delivery["id"]) is not None:
            self._record(delivery, event, attempts)
            self._under_way.pop(delivery["id"], None)
            self._state.flush()

    async def _post_copies(self, event: Json, endpoint: Json) -> list[Json]:
        copies = max(1, self._state.settings.duplicate)
        return list(await asyncio.gather(*(self._post(event, endpoint) for _ in range(copies))))

    async def _post(self, event: Json, endpoint: Json) -> Json:
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()
        signed = signature(body, endpoint["secret"], self._state.settings.signature)
        headers = {**_HEADERS, "Stripe-Signature": signed}
        try:
            answer = await self._http.post(endpoint["url"], content=body, headers=headers)
        except httpx.HTTPError as error:
            return _attempt(endpoint, None, f"{type(error).__name__}: {error}")
        return _attempt(endpoint, answer.status_code, answer.text[:500])

    def _record(self, delivery: Json, event: Json, attempts: list[Json]) -> None:
        delivery["attempts"] += attempts
        if all(attempt["status"] and 200 <= attempt["status"] < 300 for attempt in attempts):
            if delivery["status"] != "delivered":
                event["pending_webhooks"] -= 1
                self._state.put(event)
            delivery.update(status="delivered", due=None)
        elif delivery["status"] == "pending":
            delivery["tries"] += 1
            spent = delivery["tries"] > len(RETRY_PAUSES_S)
            delivery["status"] = "failed" if spent else "pending"
            delivery["due"] = None if spent else time() + RETRY_PAUSES_S[delivery["tries"] - 1]
        self._state.put(delivery)


def signature(body: bytes, secret: str, how: str = "good") -> str:
    """`t=…,v1=…` as Stripe signs: the whole secret is the key, decimal time and raw body are the text.

    `how` is the setting of that name.
    """
    moment = int(time()) - (_OLD_S if how == "old" else 0)
    ours, theirs = (_digest(body, moment, key) for key in (secret, _SOMEBODY_ELSES_SECRET))
    parts = {
        "wrong_secret": f"v1={theirs}",
        "v0_only": f"v0={ours}",
        "rotated": f"v1={theirs},v1={ours}",
    }
    return f"t={moment},{parts.get(how, f'v1={ours}')}"


def _digest(body: bytes, moment: int, secret: str) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, sha256).hexdigest()


def _attempt(endpoint: Json, status: int | None, answer: str) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"url": endpoint["url"], "status": status, "answer": answer, "at": at}
