"""For the operator: alive, ready, figures."""

import asyncio
from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic import response as sanic_response

from server import metrics
from server.checkout import service as checkout
from server.database.health import Writes
from server.database.migrations import is_current
from server.database.session import session_scope
from server.settings import settings
from server.tokens import same
from server.web.audience import Audience, audience

READY_WITHIN_S = 1.5

bp = Blueprint("operations")


@bp.before_server_start
async def begin(app: Sanic[Any, Any]) -> None:
    app.ctx.database_writes = Writes()


@bp.get("/healthz")
@audience(Audience.MACHINE)
async def alive(request: Request) -> HTTPResponse:
    return sanic_response.text("ok")


@bp.get("/readyz")
@audience(Audience.MACHINE)
async def ready(request: Request) -> HTTPResponse:
    """200 if the database answers in time, has every migration, and takes writes; else 503 and why."""
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            fault = await _fault(request.app.ctx.database_writes)
    except TimeoutError:
        fault = "the database does not answer in time"
    return sanic_response.text(fault or "ready", status=503 if fault else 200)


async def _fault(writes: Writes) -> str | None:
    if not await is_current():
        return "migrations are missing: run `playbill migrate`"
    if not await writes.are_taken():
        return "the database takes no writes: is its disk full, or is it read-only?"
    return None


@bp.get("/metrics")
@audience(Audience.MACHINE)
async def figures(request: Request) -> HTTPResponse:
    """Open in sandbox mode; the bearer METRICS_TOKEN is required in live mode and wherever one is set."""
    if settings().metrics_token and not same(
        (request.token or "").encode("ascii", "replace").decode(), settings().metrics_token
    ):
        return sanic_response.json(
            {"error": {"code": "unauthorized", "message": "the bearer METRICS_TOKEN, please"}},
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
    async with session_scope(request.app.ctx.sessions):  # closed before the figures are read
        without_access = await checkout.count_paid_without_access()
    return HTTPResponse(
        metrics.exposition(without_access),
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )
