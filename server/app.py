"""The site: every blueprint and hook. What it stands on and what runs beside it: wiring.py."""

import logging
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from server import metrics, wiring
from server.database import session as database
from server.database.engine import create_engine, create_sessionmaker, watch_checked_out
from server.integrations import gateways
from server.jobs import recurring
from server.settings import ROOT, Settings, configure
from server.web import audience, bodies, origin, paths, security, visitor
from server.web import metrics as web_metrics
from server.web.errors import setup_errors
from server.web.templating import is_current_static

BLUEPRINTS = (
    "server.catalog.views",
    "server.accounts.views",
    "server.checkout.views",
    "server.stripe_events.webhook",
    "server.playback.views",
    "server.playback.callbacks",
    "server.admin.views",
    "server.site.operations",
    "server.site.preferences",
    "server.site.legal",
    "server.site.account",
)
# What is read at all; what is kept of it is less (see web/bodies.py). A megabyte of progress blocks is
# several once it is URL-encoded, and must be answered 200, not 413.
MAX_REQUEST_BYTES = 8 * 1024 * 1024

log = logging.getLogger("playbill")


def create_app(settings: Settings, *, with_jobs: bool = True, name: str = "playbill") -> Sanic[Any, Any]:
    """The application; `with_jobs` runs the sweep and the mail worker beside the requests."""
    configure(settings)
    wiring.connect_domains()
    app = Sanic(name, configure_logging=False, request_class=bodies.BoundedRequest)
    app.config.AUTO_EXTEND = False
    app.config.MOTD = False
    app.config.ACCESS_LOG = False
    app.config.FALLBACK_ERROR_FORMAT = "text"
    app.config.REQUEST_MAX_SIZE = MAX_REQUEST_BYTES
    app.config.PROXIES_COUNT = settings.proxies_count or None
    app.config.REQUEST_TIMEOUT = 20
    app.config.RESPONSE_TIMEOUT = 40
    app.config.KEEP_ALIVE_TIMEOUT = 30
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 5

    setup_resources(app, settings)
    setup_requests(app)
    setup_errors(app)
    for module in BLUEPRINTS:
        app.blueprint(import_module(module).bp)
    app.static("/static", ROOT / "static", name="static")
    answer_head(app)
    read_bodies(app)
    if with_jobs:
        setup_jobs(app)
    return app


def setup_jobs(app: Sanic[Any, Any]) -> None:
    @app.after_server_start
    async def start(app: Sanic[Any, Any]) -> None:
        app.ctx.jobs = recurring.start(wiring.recurring(), app.ctx.sessions)

    @app.before_server_stop
    async def stop(app: Sanic[Any, Any]) -> None:
        await recurring.stop(app.ctx.jobs)


def answer_head(app: Sanic[Any, Any]) -> None:
    """Answer HEAD on the public pages, as link previews and uptime checks ask."""
    public = (audience.Audience.ALL, audience.Audience.MACHINE)
    for route in list(app.router.routes):
        if "GET" in route.methods and getattr(route.handler, "audience", None) in public:
            app.add_route(route.handler, f"/{route.path}", methods=["HEAD"], name=f"head.{route.name}")


def read_bodies(app: Sanic[Any, Any]) -> None:
    """Read what comes with a GET, too: of one that it has not read Sanic complains, as an error."""
    for route in app.router.routes:
        route.extra.ignore_body = False


def setup_resources(app: Sanic[Any, Any], settings: Settings) -> None:
    @app.before_server_start
    async def open_resources(app: Sanic[Any, Any]) -> None:
        resources = app.ctx.resources = AsyncExitStack()
        engine = create_engine(settings.database_url)
        resources.push_async_callback(engine.dispose)
        app.ctx.engine = engine
        app.ctx.sessions = create_sessionmaker(engine)
        database.watch_open_sessions(metrics.sessions_open.set)
        watch_checked_out(engine, metrics.connections_checked_out.set)
        await resources.enter_async_context(gateways.opened(settings))

    @app.after_server_stop
    async def close_resources(app: Sanic[Any, Any]) -> None:
        await app.ctx.resources.aclose()


def setup_requests(app: Sanic[Any, Any]) -> None:
    @app.on_request
    async def begin(request: Request) -> HTTPResponse | None:
        web_metrics.start_timer(request)
        request.ctx.database = database.bind(request.app.ctx.sessions)
        who = audience.of(request)
        if request.route and request.route.name.endswith(".static"):
            paths.check_file(request)
            return None
        if who is audience.Audience.MACHINE:
            return None
        visitor.start(request)
        await visitor.find(request)
        if who is not None:
            audience.enforce(request, who)
            paths.check(request)
            bodies.check(request)
            return origin.check(request)
        return None

    @app.on_response  # type: ignore[untyped-decorator]
    async def end(request: Request, response: HTTPResponse) -> None:
        # Runs after every kind of answer, time-outs and aborts included; never commit here: an
        # exception in this hook is swallowed and the client still gets its 200.
        try:
            security.add_headers(response)
            if request.path.startswith("/static/fonts/"):
                # The card form stands on Stripe's site and writes in our letters.
                response.headers["Access-Control-Allow-Origin"] = "*"
            if response.status == 200 and is_current_static(request):
                response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
            web_metrics.observe(request, response)
        finally:
            token = getattr(request.ctx, "database", None)
            if token is not None:
                del request.ctx.database
                await database.unbind(token)
