"""Builds the stand-in's own Sanic app."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from sanic import Sanic

from . import control, player
from .config import Config, Settings
from .state import State

_STATIC = Path(__file__).parent / "static"


def create_app(config: Config, clock: Callable[[], float] = time.time) -> Sanic[Any, Any]:
    """The app for one process; its state hangs on `app.ctx.state`. OSError if the media folder is no good."""
    contents = config.contents()
    # Sanic keeps app names in a global registry and refuses a second one.
    app: Sanic[Any, Any] = Sanic(f"kollus_sandbox_{secrets.token_hex(4)}", configure_logging=False)
    app.config.AUTO_EXTEND = False
    app.config.FALLBACK_ERROR_FORMAT = "json"

    async def open_state(app: Sanic[Any, Any]) -> None:
        # Every viewer is a connection of its own, without a limit; each caller sets its own deadline.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        http = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits, timeout=None)  # noqa: S113
        app.ctx.state = State(config, contents, clock, http, Settings.of(config))

    async def close_state(app: Sanic[Any, Any]) -> None:
        await app.ctx.state.http.aclose()

    app.register_listener(open_state, "before_server_start")
    app.register_listener(close_state, "after_server_stop")
    app.static("/_player/static", _STATIC, name="static")
    app.static("/vgcontroller", _STATIC / "vgcontroller", name="vgcontroller")
    app.blueprint(player.bp)
    app.blueprint(control.bp)
    return app
