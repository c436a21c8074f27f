"""One handler turns every error into an answer: a calm page for people, JSON for scripts."""

import logging
from typing import Any
from urllib.parse import quote

from sanic import HTTPResponse, Request, Sanic
from sanic import response as sanic_response
from sanic.exceptions import SanicException

from server.database.outage import is_outage
from server.errors import NotFound, PlaybillError, SignInFirst, Unavailable, Unreadable
from server.i18n import N_
from server.web import visitor
from server.web.audience import Audience
from server.web.audience import of as audience_of
from server.web.bodies import MADE_UP
from server.web.templating import page, redirect

log = logging.getLogger("playbill")


class OurFault(PlaybillError):
    status = 500
    code = "internal"
    message = N_("Something went wrong on our side. It has been written down; please try again.")


def setup_errors(app: Sanic[Any, Any]) -> None:
    app.error_handler.add(Exception, answer)


def answer(request: Request, error: Exception) -> HTTPResponse:
    planned = _planned(request, error)
    if not hasattr(request.ctx, "account"):
        visitor.start(request)
    if wants_json(request):
        body = {"error": {"code": planned.code, "message": planned.text, **planned.details}}
        return sanic_response.json(body, status=planned.status)
    if isinstance(planned, SignInFirst):
        here = request.path + (f"?{request.query_string}" if request.query_string else "")
        return redirect(f"/login?next={quote(here if request.method == 'GET' else '/', safe='/')}")
    # Not the "current" request: one that could not be read never became it, and the one before on this
    # connection may have been another visitor's.
    return page("errors/error.html", status=planned.status, request=request, error=planned)


def _planned(request: Request, error: Exception) -> PlaybillError:
    if isinstance(error, PlaybillError):
        return error
    if isinstance(error, SanicException) and error.status_code in (404, 405):
        return NotFound()
    if isinstance(error, SanicException) and error.status_code < 500:
        if request.method == MADE_UP:
            log.info("a request could not be read: %d", error.status_code)
        unreadable = Unreadable()
        unreadable.status = error.status_code
        return unreadable
    if isinstance(error, SanicException) and error.status_code == 503:
        return Unavailable()  # Sanic's own response time-out
    # The route's pattern, not the path: a path may be a sign-in link that is still good.
    route = f"/{request.route.path}" if request.route else "no route"
    if is_outage(error):
        # Without the statement, which stands in further lines.
        told = str(error).partition("\n")[0]
        log.error("database unavailable: %s %s: %s", request.method, route, told)
        return Unavailable()
    log.exception("unplanned error: %s %s", request.method, route, exc_info=error)
    return OurFault()


def wants_json(request: Request) -> bool:
    if audience_of(request) is Audience.MACHINE:
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept or "json" in request.headers.get("content-type", "")
