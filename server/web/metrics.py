"""How long every answer took, by route, method and status."""

import time

from sanic import HTTPResponse, Request

from server.metrics import http_duration


def start_timer(request: Request) -> None:
    request.ctx.started = time.perf_counter()


def observe(request: Request, response: HTTPResponse) -> None:
    started = getattr(request.ctx, "started", None)
    if started is None:
        return
    # The route's pattern, not the path: the number of label values stays small.
    route = f"/{request.route.path}" if request.route else "unknown"
    method = request.method if request.route else "other"
    http_duration.labels(route, method, response.status).observe(time.perf_counter() - started)
