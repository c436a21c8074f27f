"""Builds the mail sink: an SMTP server and a Sanic app on the same event loop."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP
from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.exceptions import BadRequest, NotFound
from sanic.response import empty, json

from .pages import body_page, is_failure, list_page
from .sink import Sink

bp = Blueprint("mail")


@dataclass(frozen=True, slots=True)
class Config:
    port: int
    smtp_port: int


def create_app(config: Config) -> Sanic[Any, Any]:
    """The app for one process; its sink hangs on `app.ctx.sink`. SMTP listens on 127.0.0.1 only."""
    # Sanic keeps app names in a global registry and refuses a second one.
    app: Sanic[Any, Any] = Sanic(f"mail_sandbox_{secrets.token_hex(4)}", configure_logging=False)
    app.config.AUTO_EXTEND = False
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.ctx.sink = Sink()

    async def open_smtp(app: Sanic[Any, Any]) -> None:
        def serve() -> SMTP:
            return SMTP(app.ctx.sink, hostname="localhost", enable_SMTPUTF8=True)

        loop = asyncio.get_running_loop()
        app.ctx.smtp = await loop.create_server(serve, "127.0.0.1", config.smtp_port)

    async def close_smtp(app: Sanic[Any, Any]) -> None:
        app.ctx.smtp.close()

    app.register_listener(open_smtp, "before_server_start")
    app.register_listener(close_smtp, "before_server_stop")
    app.blueprint(bp)
    return app


def _sink(request: Request) -> Sink:
    sink: Sink = request.app.ctx.sink
    return sink


@bp.get("/")
@bp.get("/_sandbox/", name="sandbox")
async def show_messages(request: Request) -> HTTPResponse:
    return list_page(_sink(request).messages, _sink(request).failure)


@bp.get("/messages")
async def read_messages(request: Request) -> HTTPResponse:
    """All messages, in the order in which they came."""
    return json([message.as_json() for message in _sink(request).messages])


@bp.delete("/messages")
async def delete_messages(request: Request) -> HTTPResponse:
    _sink(request).messages.clear()
    return empty()


@bp.get("/messages/<number:int>/html")
async def show_body(request: Request, number: int) -> HTTPResponse:
    messages = _sink(request).messages
    if not 0 <= number < len(messages):
        raise NotFound("no such message")
    return body_page(messages[number])


@bp.get("/_sandbox/healthz")
async def healthz(_: Request) -> HTTPResponse:
    return json({"status": "ok"})


@bp.get("/_sandbox/settings")
async def read_settings(request: Request) -> HTTPResponse:
    return _settings(request)


@bp.post("/_sandbox/settings")
async def change_settings(request: Request) -> HTTPResponse:
    changes = request.json
    if not isinstance(changes, dict) or changes.keys() - {"smtp_fail"}:
        raise BadRequest("the one setting is smtp_fail")
    if not is_failure(changes.get("smtp_fail")):
        raise BadRequest("smtp_fail is null, 4xx, 5xx, drop or drop_after_data")
    if "smtp_fail" in changes:
        _sink(request).failure = changes["smtp_fail"]
    return _settings(request)


@bp.post("/_sandbox/reset")
async def reset(request: Request) -> HTTPResponse:
    _sink(request).messages.clear()
    _sink(request).failure = None
    return _settings(request)


def _settings(request: Request) -> HTTPResponse:
    return json({"smtp_fail": _sink(request).failure})
