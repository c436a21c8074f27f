"""For the operator: alive, ready, figures."""

from sanic import Blueprint, HTTPResponse, Request
from sanic import response as sanic_response

from server import metrics
from server.checkout import service as checkout
from server.database.migrations import is_current
from server.database.session import session_scope
from server.settings import settings
from server.tokens import same
from server.web.audience import Audience, audience

bp = Blueprint("operations")


@bp.get("/healthz")
@audience(Audience.MACHINE)
async def alive(request: Request) -> HTTPResponse:
    return sanic_response.text("ok")


@bp.get("/readyz")
@audience(Audience.MACHINE)
async def ready(request: Request) -> HTTPResponse:
    """200 if the database answers and has every migration; an outage is answered as 503 for us."""
    if await is_current():
        return sanic_response.text("ready")
    return sanic_response.text("migrations are missing: run `playbill migrate`", status=503)


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
