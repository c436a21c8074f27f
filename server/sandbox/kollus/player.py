"""The gateway's addresses: player page, direct stream, and what the page itself asks for while it plays."""

from collections.abc import Callable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.exceptions import BadRequest, Forbidden, NotFound
from sanic.response import json, redirect

from .approval import admit, approve
from .errors import PlayerError
from .files import send_file
from .gateway import read_query
from .lms import address, identity
from .outbox import Report
from .pages import error_page, language, player_page
from .service import open_share, open_view
from .state import State, View

bp = Blueprint("player")


def state_of(request: Request) -> State:
    state: State = request.app.ctx.state
    return state


@bp.get("/s")
async def show_player(request: Request) -> HTTPResponse:
    state, lang = state_of(request), _language(request)
    try:
        view = open_view(state, read_query(request.query_string), request.headers.get("referer", ""))
    except PlayerError as error:
        return error_page(state, error, lang)
    return player_page(state, view, lang)


@bp.get("/sr")
@bp.head("/sr", name="stream_head")
async def stream_directly(request: Request) -> HTTPResponse:
    """The clip without a player: no door past the play callback, so both approvals are asked here."""
    state = state_of(request)
    try:
        view = open_view(state, read_query(request.query_string), request.headers.get("referer", ""))
        await admit(state, view)
        await approve(state, view, 3)
    except PlayerError as error:
        return error_page(state, error, _language(request))
    view.approved = True
    return redirect(_media_url(view), headers={"cache-control": "no-store"})


@bp.get("/si")
async def tell_app(request: Request) -> HTTPResponse:
    """What an app of Kollus reads in place of a page before it plays."""
    referer = request.headers.get("referer", "")
    return _info(request, lambda state: open_view(state, read_query(request.query_string), referer))


@bp.get(r"/i/<key:[A-Za-z0-9]{8}>")
async def tell_app_of_share(request: Request, key: str) -> HTTPResponse:
    return _info(request, lambda state: open_share(state, key, request.headers.get("referer", "")))


def _info(request: Request, open_: Callable[[State], View]) -> HTTPResponse:
    state = state_of(request)
    try:
        opening = open_(state).opening
    except PlayerError as error:
        return json({"error": error.as_json(_language(request))})
    key = opening.content.media_content_key
    facts = {"media_content_key": key, "title": opening.title, "duration": opening.content.duration}
    return json({"error": None, **facts, "poster": f"/poster/{key}.jpg"})


@bp.get(r"/poster/<name:[A-Za-z0-9]{8}\.jpg>")
async def show_poster(request: Request, name: str) -> HTTPResponse:
    if name.removesuffix(".jpg") not in state_of(request).contents:
        raise NotFound("no such content")
    return redirect("/_player/static/poster.svg")


@bp.get(r"/<key:[A-Za-z0-9]{8}>")
async def share(request: Request, key: str) -> HTTPResponse:
    """A share address, without any token: opens a public channel's video."""
    state, lang = state_of(request), _language(request)
    try:
        view = open_share(state, key, request.headers.get("referer", ""))
    except PlayerError as error:
        return error_page(state, error, lang)
    return player_page(state, view, lang)


@bp.post("/_player/views/<view_id:str>/open")
async def open_player(request: Request, view_id: str) -> HTTPResponse:
    """First word of the page: play callback of kind 1, then where the clip is and what limits it."""
    state = state_of(request)
    view, body = _view(state, view_id), _object(request)
    view.player_id = str(body.get("player_id", ""))
    view.device_name = str(body.get("device_name", ""))
    try:
        await admit(state, view)
    except PlayerError as error:
        return json({"error": error.as_json(_language(request))})
    view.approved = True
    if state.settings.lms == "now":
        await state.outbox.flush()  # a player that starts again sends first what it still has
    section = view.play_section
    return json(
        {
            "error": None,
            "media": _media_url(view),
            "expiresIn": view.expiration_date - state.clock() if view.expiration_date else None,
            "expirationPlaytime": view.expiration_playtime,
            "section": [section.start_time, section.end_time] if section else None,
            "lms": _lms(state, view),
            "alone": state.settings.device_policy.endswith("one_at_a_time"),
        }
    )


@bp.post("/_player/views/<view_id:str>/ready")
async def confirm_ready(request: Request, view_id: str) -> HTTPResponse:
    """The clip can play: play callback of kind 3."""
    state = state_of(request)
    view = _view(state, view_id)
    try:
        await approve(state, view, 3)
    except PlayerError as error:
        view.approved = False
        return json({"error": error.as_json(_language(request))})
    return json({"error": None})


@bp.post("/_player/views/<view_id:str>/watching")
async def go_on(request: Request, view_id: str) -> HTTPResponse:
    """Whether the view may go on; asked again and again while another device could take its place."""
    state = state_of(request)
    view = _view(state, view_id)
    try:
        state.devices.check(view.opening.client_user_id, view.player_id, state.settings)
    except PlayerError as error:
        view.approved = False
        return json({"error": error.as_json(_language(request))})
    return json({"error": None})


@bp.get("/_player/views/<view_id:str>/media")
@bp.head("/_player/views/<view_id:str>/media", name="media_head")
async def send_media(request: Request, view_id: str) -> HTTPResponse:
    state = state_of(request)
    view = _view(state, view_id)
    if not view.approved or 0 < view.expiration_date <= state.clock():
        raise Forbidden("not approved")
    return await send_file(view.opening.content.path, "video/webm", request.headers.get("range"))


@bp.post("/_player/views/<view_id:str>/reports")
async def take_report(request: Request, view_id: str) -> HTTPResponse:
    """Ask what to post of `{url, form}` to the site itself, and how often; 0 when it is kept here instead.

    `unsent`: the page is closing while the site is down. Players keep such reports; here the outbox does.
    """
    state = state_of(request)
    _view(state, view_id)
    body = _object(request)
    try:
        report = Report(str(body["url"]), tuple((str(name), str(value)) for name, value in body["form"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("a report is {url, form: [[name, value], ...]}") from error
    report = state.as_players_write(report)
    if state.settings.lms == "hold" or body.get("unsent") is True:
        state.outbox.put(report)
        return json({"posts": 0, "form": report.form})
    state.log.add("lms", {"url": report.url, "form": dict(report.form)}, {"sent_by": "page"}, None)
    return json({"posts": state.settings.duplicate, "form": report.form})


def _lms(state: State, view: View) -> dict[str, Any] | None:
    url, templates = address(state.settings, view)
    if not url:
        return None
    return {
        "url": url,
        "templates": templates,
        "identity": identity(view, state.config),
        "period": state.settings.lms_period_s,
        "blockCount": state.settings.block_count,
        "hold": state.settings.lms == "hold",
    }


def _media_url(view: View) -> str:
    return f"/_player/views/{view.id}/media"


def _view(state: State, view_id: str) -> View:
    view = state.views.get(view_id)
    if view is None:
        raise NotFound("no such view")
    return view


def _object(request: Request) -> dict[str, Any]:
    body = request.json
    if not isinstance(body, dict):
        raise BadRequest("a JSON object is expected")
    return body


def _language(request: Request) -> str:
    return language(request.headers.get("accept-language", ""))
