"""What Kollus's players ask and tell. They run in viewers' browsers, so any origin may call."""

from collections.abc import Mapping
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic import response as sanic_response

from server import languages, metrics
from server.errors import Unreadable
from server.i18n import N_, first_offered, gettext, in_locale
from server.integrations.gateways import gateways
from server.integrations.kollus import FINAL_APPROVAL, SET_EXPIRY, USER_KEY_HEADER
from server.playback.approval import NOT_OURS, Approval, approve
from server.playback.forms import PlayCallback
from server.playback.lms import read_report
from server.playback.reporting import Outcome, take_report
from server.web import bodies
from server.web.audience import Audience, audience
from server.web.forms import FormInvalid

bp = Blueprint("kollus_callbacks", url_prefix="/callbacks/kollus")

MAX_QUESTION_BYTES = 64 * 1024
MAX_REPORT_BYTES = 256 * 1024
NO_ACCESS = N_("You cannot watch this video right now. Your courses page tells what is open to you.")
LINK_INVALID = N_("This player link is not valid. Please reload the page.")


@bp.middleware("response")  # type: ignore[untyped-decorator]
async def open_to_every_origin(request: Request, response: HTTPResponse) -> None:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = USER_KEY_HEADER


@bp.options("/play", name="play_preflight")
@bp.options("/lms", name="lms_preflight")
@audience(Audience.MACHINE)
async def answer_preflight(request: Request) -> HTTPResponse:
    return sanic_response.empty(
        headers={
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "*",
            "Access-Control-Max-Age": "86400",
        }
    )


@bp.post("/play")
@audience(Audience.MACHINE)
async def answer_play(request: Request) -> HTTPResponse:
    """Every answer is 200 and signed, a refusal too: anything else shows the viewer a code without words."""
    asked = _asked(request)
    approval = await approve(asked.question) if asked else NOT_OURS
    metrics.kollus_callbacks.labels(_kind(asked), _outcome(approval)).inc()
    kollus = gateways().kollus
    if asked is not None and approval.allowed:
        reply = kollus.allow(asked.kind, approval.until)
    else:
        with in_locale(_language(request, asked)):
            reply = kollus.refuse(gettext(NO_ACCESS if approval.is_ours else LINK_INVALID))
    return sanic_response.text(reply, headers={USER_KEY_HEADER: kollus.custom_key})


def _asked(request: Request) -> PlayCallback | None:
    if len(request.body) > MAX_QUESTION_BYTES:
        return None
    try:
        return PlayCallback.parse(request.form)
    except (FormInvalid, Unreadable):
        return None


def _kind(asked: PlayCallback | None) -> str:
    # Only these two: the number of label values must not be the caller's to choose.
    if asked is not None and asked.kind in (SET_EXPIRY, FINAL_APPROVAL):
        return f"play_{asked.kind}"
    return "play_unknown"


def _outcome(approval: Approval) -> str:
    if not approval.is_ours:
        return "invalid"
    return "allowed" if approval.allowed else "refused"


def _language(request: Request, asked: PlayCallback | None) -> str:
    """The language of the page that opened the player, else of the browser that plays."""
    told = asked.uservalues.get("uservalue1") if asked else None
    return first_offered(told, *languages.wished(request.headers.get("accept-language", "")))


@bp.post("/lms")
@audience(Audience.MACHINE)
async def take_lms(request: Request) -> HTTPResponse:
    """Always 200 without a word: the player does not read the answer."""
    metrics.lms_reports.labels(await _take(request)).inc()
    return sanic_response.empty(status=200)


async def _take(request: Request) -> Outcome:
    if bodies.is_too_large(request) or len(request.body) > MAX_REPORT_BYTES:
        return Outcome.TOO_LARGE
    try:
        posted: Mapping[str, Any] = request.form or {}
    except Unreadable:
        return Outcome.UNREADABLE

    def field(name: str) -> str:
        # From the body or the query: which of them is up to the address set in Kollus's console.
        return str(posted.get(name) or request.args.get(name) or "")

    report = read_report(field("json_data"))
    return await take_report(field("uservalue0"), report) if report else Outcome.UNREADABLE
