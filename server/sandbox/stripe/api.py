"""How any /v1 call is answered: key, version, form, types, idempotency, act, expand; and the chaos around."""

import asyncio
import hmac
import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast
from urllib.parse import unquote

from sanic import HTTPResponse, Request
from sanic.response import html
from sanic.response import json as json_response

from . import idempotency
from .config import API_VERSION, Config
from .errors import Fault, Json
from .expand import check_paths, expanded
from .form import Form, decode
from .idempotency import Reply
from .objects import client_view
from .request_log import RequestLog, masked
from .schema import checked
from .state import Cause, State, new_id

_BAD_GATEWAY = (
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n"
)


@dataclass(frozen=True)
class Call:
    """A call that passed every check of form; `ids` are the places of the path."""

    state: State
    config: Config
    params: Json
    ids: tuple[str, ...]
    by_browser: bool


@dataclass(frozen=True)
class Endpoint:
    """One call of the API.

    `params` and `browser_params` are the closed types for a secret and a publishable key (none: not for
    this key); `supported` are the parameters that the stand-in acts on (none: all of them).
    """

    method: str
    path: str
    kind: str
    act: Callable[[Call], Json]
    params: type | None = None
    browser_params: type | None = None
    supported: frozenset[str] | None = None
    listed: bool = False

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        pattern = re.escape(self.path).replace(r"\{id\}", "([^/]+)")
        found = re.fullmatch(pattern, path) if method == self.method else None
        return tuple(map(unquote, found.groups())) if found else None


class Api:
    """The stand-in's front door. The work of a call is synchronous, so no two calls ever interleave."""

    def __init__(self, config: Config, state: State, endpoints: Iterable[Endpoint]) -> None:
        self._config = config
        self._state = state
        self._endpoints = tuple(endpoints)
        self._running: set[str] = set()
        self.log = RequestLog()

    async def serve(self, request: Request) -> HTTPResponse:
        """Answer a call; `api_delay_ms` holds the answer back after the work is done, as `drop` loses it."""
        entry = self.log.begin(request.method, request.path, request.headers)
        request_id = new_id("req")
        delay_ms, fail = self._chaos_for(request)
        if fail == "502":
            entry["status"] = 502
            return html(_BAD_GATEWAY, 502)  # from a machine in front of the API, which hears of nothing
        reply = self._reply(request, entry, request_id, fail)
        if delay_ms:
            await self._hold(request, delay_ms / 1000)
        if fail == "drop":
            await _drop_connection(request)
        entry["status"] = reply.status
        headers = {**cors(request), "Request-Id": request_id, "Stripe-Version": API_VERSION, **reply.headers}
        if key := request.headers.get("idempotency-key"):
            headers["Idempotency-Key"] = key
        return json_response(reply.body, reply.status, headers=headers)

    def _chaos_for(self, request: Request) -> tuple[int, str | None]:
        settings = self._state.settings
        wanted = f"{settings.api_only or ''}*"
        if not fnmatchcase(f"{request.method} {request.path}", wanted):
            return 0, None
        return settings.api_delay_ms, settings.api_fail

    async def _hold(self, request: Request, seconds: float) -> None:
        key = request.headers.get("idempotency-key")
        mine = key is not None and key not in self._running
        if key is not None and mine:
            self._running.add(key)
        try:
            await asyncio.sleep(seconds)
        finally:
            if key is not None and mine:
                self._running.discard(key)

    def _reply(self, request: Request, entry: Json, request_id: str, fail: str | None) -> Reply:
        by_browser = False
        try:
            form = _form(request)
            entry["params"] = masked(form)
            by_browser = self._authenticate(request, form)
            if fail == "429":
                raise _too_many()
            if fail == "lock_timeout":
                raise _locked()
            return self._work(request, form, request_id, by_browser=by_browser, broken=fail == "500")
        except Fault as fault:
            return _refusal(fault, request_id, by_browser=by_browser)
        finally:
            self._state.flush()

    def _work(
        self, request: Request, form: Form, request_id: str, *, by_browser: bool, broken: bool
    ) -> Reply:
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        print_ = idempotency.fingerprint(request.method, request.path, form)
        if key is not None:
            if key in self._running:
                raise idempotency.in_use(key)
            if known := idempotency.stored(self._state, key, print_):
                return known
        reply, kept = self._act(request, form, Cause(request_id, key), by_browser=by_browser, broken=broken)
        if key is None or not kept:
            return reply
        idempotency.store(self._state, key, print_, request_id, reply)
        return idempotency.final(reply, request_id)

    def _act(
        self, request: Request, form: Form, cause: Cause, *, by_browser: bool, broken: bool
    ) -> tuple[Reply, bool]:
        """The answer, and whether it is kept for the idempotency key."""
        try:
            endpoint, ids = self._find(request)
            params = _checked(endpoint, form, by_browser=by_browser)
            if broken:
                raise Fault(500, "An unknown error occurred.", type_="api_error", kept=True)
            with self._state.caused_by(cause):
                found = endpoint.act(Call(self._state, self._config, params, ids, by_browser))
            if by_browser and found["object"] == "payment_intent":
                found = client_view(found)
            return Reply(200, expanded(self._state, found, params.get("expand", []))), True
        except Fault as fault:
            return _refusal(fault, str(cause.request_id), by_browser=by_browser), fault.kept

    def _find(self, request: Request) -> tuple[Endpoint, tuple[str, ...]]:
        for endpoint in self._endpoints:
            ids = endpoint.match(request.method, request.path)
            if ids is not None:
                return endpoint, ids
        raise Fault(404, f"Unrecognized request URL ({request.method}: {request.path}).")

    def _authenticate(self, request: Request, form: Form) -> bool:
        """Whether a browser calls, with the publishable key; a secret key must also name the API version."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ").strip() or form.get("key", "")
        if not isinstance(key, str) or not key:
            raise Fault(401, "You did not provide an API key.")
        version = request.headers.get("stripe-version")
        by_browser = _same(key, self._config.publishable_key)
        if not by_browser and not _same(key, self._config.secret_key):
            raise Fault(401, f"Invalid API Key provided: {key[:8]}***")
        if version != API_VERSION and not (by_browser and version is None):
            raise Fault(
                400, f"Invalid Stripe API version: {version}; the stand-in speaks {API_VERSION} only."
            )
        return by_browser


def cors(request: Request) -> dict[str, str]:
    """Stripe answers any page, and names it: `*` is for callers that are no page."""
    return {
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
        "Access-Control-Allow-Origin": request.headers.get("origin", "*"),
        "Access-Control-Expose-Headers": "Request-Id, Stripe-Manage-Version, Stripe-Should-Retry,"
        " X-Stripe-External-Auth-Required, X-Stripe-Privileged-Session-Required",
        "Access-Control-Max-Age": "300",
        "Cache-Control": "no-cache, no-store",
        "Vary": "Origin",
    }


def preflight(request: Request) -> dict[str, str]:
    """What a browser asks before a call that a plain form could not make."""
    wanted = request.headers.get("access-control-request-headers", "")
    return {**cors(request), "Access-Control-Allow-Headers": wanted}


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def _form(request: Request) -> Form:
    if request.method != "POST":
        return decode(request.query_string)
    if not request.body:
        return {}
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Fault(
            400, "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
        )
    try:
        return decode(request.body.decode())
    except UnicodeDecodeError as error:
        raise Fault(400, "Invalid request: the body is not UTF-8.") from error


def _checked(endpoint: Endpoint, form: Form, *, by_browser: bool) -> Json:
    params_type = endpoint.browser_params if by_browser else endpoint.params
    if params_type is None:
        kind = "publishable" if by_browser else "secret"
        code = "secret_key_required" if by_browser else None
        raise Fault(401, f"This API call cannot be made with a {kind} API key.", code=code)
    params = checked(params_type, form)
    if endpoint.supported is not None and not by_browser:
        for name in sorted(params.keys() - endpoint.supported):
            raise Fault.unsupported(name, f"the parameter {name} here")
    check_paths(endpoint.kind, params.get("expand", []), listed=endpoint.listed)
    return params


def _refusal(fault: Fault, request_id: str, *, by_browser: bool) -> Reply:
    body: dict[str, Any] = deepcopy(fault.body())
    error = body["error"]
    error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    if by_browser and "payment_intent" in error:
        error["payment_intent"] = client_view(error["payment_intent"])
    return Reply(fault.status, body, fault.headers)


def _too_many() -> Fault:
    headers = {"Stripe-Rate-Limited-Reason": "global-rate"}
    return Fault(429, "Request rate limit exceeded.", code="rate_limit", headers=headers)


def _locked() -> Fault:
    headers = {"Stripe-Should-Retry": "true"}
    return Fault(429, "This object cannot be accessed right now.", code="lock_timeout", headers=headers)


async def _drop_connection(request: Request) -> None:
    """The work is done; the caller never hears of it. Sanic ends this task as the connection is gone."""
    cast(asyncio.Transport, request.transport).abort()
    await asyncio.Event().wait()
