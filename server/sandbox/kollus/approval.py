"""The play callback: asks the site whether a view may go on, and reads the signed answer without mercy."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from .claims import PlaySection, read_play_section
from .errors import PlayerError
from .state import State, View
from .tokens import PayloadError, TokenError, verify

LAST_EXPIRATION_DATE = 1893455999
_RANGES = {
    "result": (0, 1),
    "expiration_date": (0, LAST_EXPIRATION_DATE),
    "expiration_playtime": (0, 2**31),
    "disable_tvout": (0, 1),
    "vmcheck": (0, 1),
    "content_expired": (0, 1),
}


async def admit(state: State, view: View) -> None:
    """May the view begin: the site's word (kind 1), then the account's device policy. Raises PlayerError."""
    await approve(state, view, 1)
    state.devices.admit(view.opening.client_user_id, view.player_id, state.settings)


async def approve(state: State, view: View, kind: int) -> None:
    """Ask for `kind` 1 (before loading: terms of the view) or 3 (ready to play: last word); apply the answer.

    Raises PlayerError 8670-8675. Without a user id or a callback URL nobody is asked and the view may go on.
    """
    url = state.settings.play_callback_url
    if not view.opening.client_user_id or not url:
        return
    form = _form(view, kind)
    answer: dict[str, Any] = {}
    code = None
    try:
        response = await _post(state, url, form)
        answer |= {"status": response.status_code, "headers": dict(response.headers), "body": response.text}
        data = _verified(response, state)
        answer["data"] = data
        _apply(view, kind, data, state.clock())
    except PlayerError as error:
        code = error.code
        answer["error"] = error.detail
        raise
    finally:
        state.log.add("play", {"url": url, "form": form}, answer, code)


def _form(view: View, kind: int) -> dict[str, str]:
    form = {
        "kind": str(kind),
        "client_user_id": view.opening.client_user_id,
        "player_id": view.player_id,
        "device_name": view.device_name,
        "media_content_key": view.opening.content.media_content_key,
    }
    if view.opening.user_values:
        form["uservalues"] = json.dumps(view.opening.user_values)
    return form


async def _post(state: State, url: str, form: Mapping[str, str]) -> httpx.Response:
    try:
        async with asyncio.timeout(state.settings.callback_timeout_ms / 1000):
            return await state.http.post(url, data=form)
    except (httpx.HTTPError, TimeoutError) as error:
        raise PlayerError(
            8670, f"no answer within {state.settings.callback_timeout_ms} ms: {error!r}"
        ) from error


def _verified(response: httpx.Response, state: State) -> dict[str, Any]:
    if response.status_code != 200:
        raise PlayerError(8670, f"the answer must have status 200, not {response.status_code}")
    if not response.content:
        raise PlayerError(8670, "the answer is empty")
    custom_key = response.headers.get("x-kollus-userkey")
    if custom_key not in state.custom_keys:
        raise PlayerError(
            8671, f"header X-KOLLUS-USERKEY must be a custom key of the account, not {custom_key!r}"
        )
    try:
        payload = verify(response.text, state.config.security_key)
    except TokenError as error:
        raise PlayerError(8671, f"the body must be one JWT and nothing else: {error}") from error
    except PayloadError as error:
        raise PlayerError(8672, str(error)) from error
    data = payload.get("data")
    if not isinstance(data, dict):
        raise PlayerError(8672, "data must be an object")
    return data


def _apply(view: View, kind: int, data: Mapping[str, Any], now: float) -> None:
    _check_fields(data, kind)
    section = _section(data)
    message = data.get("message", "")
    if data["result"] == 0:
        raise PlayerError(8673 if kind == 1 else 8675, "result is 0", message)
    if kind == 3:
        if data.get("content_expired") == 1:
            raise PlayerError(8674, "content_expired is 1", message)
        return
    expiration_date = data.get("expiration_date", 0)
    if expiration_date and expiration_date <= now:
        raise PlayerError(8673, f"expiration_date passed {now - expiration_date:.0f} s ago", message)
    view.expiration_date = expiration_date
    view.expiration_playtime = data.get("expiration_playtime", 0)
    view.play_section = section or view.play_section


def _check_fields(data: Mapping[str, Any], kind: int) -> None:
    if "result" not in data:
        raise PlayerError(8672, "result is missing")
    for name, (least, most) in (_RANGES | {"kind": (kind, kind)}).items():
        value = data.get(name, least)
        if type(value) is not int:  # "1" and true are the classic mistakes
            raise PlayerError(8672, f"{name} must be a JSON integer, not {value!r}")
        if not least <= value <= most:
            raise PlayerError(8672, f"{name} must lie in {least}..{most}, not {value}")
    if not isinstance(data.get("message", ""), str):
        raise PlayerError(8672, "message must be a string")


def _section(data: Mapping[str, Any]) -> PlaySection | None:
    try:
        return read_play_section(data.get("play_section"))
    except ValueError as error:
        raise PlayerError(8672, str(error)) from error
