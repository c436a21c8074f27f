"""The control calls under `/_sandbox/`: the log, the settings, held reports, the scripted viewer."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.exceptions import BadRequest
from sanic.response import json

from .config import SettingError
from .pages import control_page
from .player import state_of
from .viewer import play

bp = Blueprint("control", url_prefix="/_sandbox")


@bp.get("/", strict_slashes=False)
async def show_control(_: Request) -> HTTPResponse:
    return control_page()


@bp.get("/healthz")
async def healthz(_: Request) -> HTTPResponse:
    return json({"status": "ok"})


@bp.get("/log")
async def read_log(request: Request) -> HTTPResponse:
    return json(state_of(request).log.entries())


@bp.get("/settings")
async def read_settings(request: Request) -> HTTPResponse:
    return json(state_of(request).settings.as_json())


@bp.post("/settings")
async def change_settings(request: Request) -> HTTPResponse:
    settings = state_of(request).settings
    try:
        settings.update(request.json)
    except SettingError as error:
        raise BadRequest(str(error)) from error
    return json(settings.as_json())


@bp.post("/lms/flush")
async def flush_reports(request: Request) -> HTTPResponse:
    state = state_of(request)
    delivered = await state.outbox.flush(copies=state.settings.duplicate, shuffle=state.settings.shuffle)
    return json({"delivered": delivered, "waiting": len(state.outbox)})


@bp.post("/custom_keys/rotate")
async def rotate_custom_key(request: Request) -> HTTPResponse:
    """A new custom key, as the console shows one at every refresh: `{void_old?}` → `{custom_key, valid}`."""
    state = state_of(request)
    void_old = (request.json or {}).get("void_old", False)
    if not isinstance(void_old, bool):
        raise BadRequest("void_old is true or false")
    return json({"custom_key": state.rotate_custom_key(void_old=void_old), "valid": state.custom_keys})


@bp.post("/reset")
async def reset(request: Request) -> HTTPResponse:
    state = state_of(request)
    state.reset()
    return json(state.settings.as_json())


@bp.post("/play")
async def play_scripted(request: Request) -> HTTPResponse:
    body = request.json
    if not isinstance(body, dict) or not isinstance(body.get("url"), str):
        raise BadRequest("url is required")
    device = body.get("device", "Scripted viewer")
    if not isinstance(device, str):
        raise BadRequest("device is a name")
    return json(
        await play(
            state_of(request), body["url"], _pieces(body.get("watch", [])), _rate(body.get("rate", 1)), device
        )
    )


def _rate(value: Any) -> float:
    if type(value) not in {int, float} or not 0 < value <= 4:
        raise BadRequest("rate is a number up to 4")
    return float(value)


def _pieces(value: Any) -> list[tuple[float, float]]:
    try:
        pieces = [(float(start), float(end)) for start, end in value]
    except (TypeError, ValueError) as error:
        raise BadRequest("watch is a list of [from, to], in seconds") from error
    if any(not 0 <= start < end for start, end in pieces):
        raise BadRequest("every piece of watch needs 0 <= from < to")
    return pieces
