import asyncio
import secrets
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.config import Config as SanicConfig
from sanic.log import logger
from sanic.response import empty

from . import browser, control
from .api import Api, preflight
from .clock import Clock
from .config import Config
from .deliveries import Courier
from .endpoints import ENDPOINTS
from .state import State

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(config: Config) -> Sanic[Any, Any]:
    """The stand-in as a Sanic application of its own; one process only, for its state is in memory."""
    # Sanic keeps a global register of names, and a test may make two.
    app: Sanic[Any, Any] = Sanic(
        f"sandbox-stripe-{secrets.token_hex(4)}", config=_sanic_config(), configure_logging=False
    )
    app.ctx.config = config
    app.ctx.reset_browser = lambda: browser.reset(app)
    app.add_route(_call, "/v1/<path:path>", methods=_METHODS)
    app.blueprint(control.bp)
    app.blueprint(browser.bp)
    app.before_server_start(_open)
    app.after_server_stop(_close)
    return app


def _sanic_config() -> SanicConfig:
    settings = SanicConfig()
    settings.AUTO_EXTEND = False
    settings.FALLBACK_ERROR_FORMAT = "text"
    settings.RESPONSE_TIMEOUT = 120
    return settings


async def _call(request: Request, path: str) -> HTTPResponse:
    if request.method == "OPTIONS":
        return empty(headers=preflight(request))
    api: Api = request.app.ctx.api
    return await api.serve(request)


async def _open(app: Sanic[Any, Any]) -> None:
    state = State(app.ctx.config.state)
    control.register_configured_endpoint(state, app.ctx.config)
    state.flush()
    app.ctx.state = state
    app.ctx.api = Api(app.ctx.config, state, ENDPOINTS)
    app.ctx.courier = Courier(state)
    app.ctx.clock = asyncio.create_task(Clock(state, app.ctx.courier).run(), name="stripe clock")
    app.ctx.clock.add_done_callback(_tell_of_failure)


async def _close(app: Sanic[Any, Any]) -> None:
    app.ctx.clock.cancel()
    await asyncio.gather(app.ctx.clock, return_exceptions=True)
    await app.ctx.courier.close()
    app.ctx.state.close()


def _tell_of_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("The clock stopped: no webhook will be delivered any more.", exc_info=error)
