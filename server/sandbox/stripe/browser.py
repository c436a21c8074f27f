"""What a browser loads from the Stripe stand-in: Stripe.js, the card frame, the 3-D Secure frames.

Nothing here knows a payment: the scripts talk to the stand-in's API like anybody's browser.
"""

import asyncio
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import json as json_response
from sanic.response import raw, text

from . import methods
from .state import State

HERE: Final = Path(__file__).parent
SLOW_SCRIPT_SECONDS: Final = 5.0
# The real script is one classic file too; the order is that of use.
SCRIPT_PARTS: Final = (
    "errors",
    "options",
    "api",
    "frame",
    "challenge",
    "payment-element",
    "elements",
    "stripe",
)
SCRIPT_STATES: Final = ("ok", "blocked", "slow")
ELEMENT_STATES: Final = ("ok", "loaderror")
CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "application/javascript; charset=utf-8",
}
# Fonts and their style sheets come from the merchant (the `fonts` option), everything else from here.
# Any site may show these frames, as with the real ones.
FRAME_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "style-src 'self' http: https:; font-src http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *"
)
# A switch of the sandbox acts at once, so nothing may be kept.
COMMON_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# The 3-D Secure page has the client secret in its address.
FRAME_HEADERS: Final = {
    **COMMON_HEADERS,
    "Content-Security-Policy": FRAME_POLICY,
    "Referrer-Policy": "no-referrer",
}

bp = Blueprint("stripe_browser")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong in the browser on purpose.

    `script`: Stripe.js loads, is refused ("blocked", 503) or comes late ("slow").
    `element`: the card frame opens or reports `loaderror`.
    `confirm_delay_ms`: the answer to a confirmation reaches the page that much later than the API gave it.
    `confirm_drop`: it never does, although the API has acted.
    """

    script: str = "ok"
    element: str = "ok"
    confirm_delay_ms: int = 0
    confirm_drop: bool = False

    @classmethod
    def parse(cls, body: object) -> "Trouble":
        """The whole settings: what `body` does not name has its default; ValueError for what does not fit."""
        if not isinstance(body, dict):
            raise ValueError("The body should be an object.")
        unknown = set(body) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"Unknown: {', '.join(sorted(unknown))}.")
        trouble = cls(**body)
        if trouble.script not in SCRIPT_STATES or trouble.element not in ELEMENT_STATES:
            raise ValueError('script is "ok", "blocked" or "slow"; element is "ok" or "loaderror".')
        if type(trouble.confirm_delay_ms) is not int or not 0 <= trouble.confirm_delay_ms <= 60_000:
            raise ValueError("confirm_delay_ms is an integer from 0 to 60000.")
        if type(trouble.confirm_drop) is not bool:
            raise ValueError("confirm_drop is true or false.")
        return trouble


def reset(app: Sanic[Any, Any]) -> None:
    """Ends every trouble."""
    app.ctx.browser_trouble = Trouble()


def _read_script() -> str:
    parts = [(HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPT_PARTS]
    return "\n".join(['(() => {\n"use strict";\n', *parts, "})();\n"])


STRIPE_JS: Final = _read_script()
FRAMES: Final = {path.name: path.read_bytes() for path in sorted((HERE / "frames").iterdir())}


def _frame_file(name: str) -> HTTPResponse:
    return raw(FRAMES[name], content_type=CONTENT_TYPES[Path(name).suffix], headers=FRAME_HEADERS)


def _error(status: int, type_: str, message: str) -> HTTPResponse:
    body = {"error": {"type": type_, "message": message}}
    return json_response(body, status=status, headers=COMMON_HEADERS)


@bp.before_server_start
async def _start_without_trouble(app: Sanic[Any, Any]) -> None:
    reset(app)


@bp.get("/endive/stripe.js")
async def stripe_js(request: Request) -> HTTPResponse:
    trouble: Trouble = request.app.ctx.browser_trouble
    if trouble.script == "blocked":
        return text("", status=503, headers=COMMON_HEADERS)
    if trouble.script == "slow":
        await asyncio.sleep(SLOW_SCRIPT_SECONDS)
    headers = {**COMMON_HEADERS, "Access-Control-Allow-Origin": "*"}
    return text(STRIPE_JS, content_type=CONTENT_TYPES[".js"], headers=headers)


@bp.get("/_sandbox/elements/payment")
async def payment_frame(_: Request) -> HTTPResponse:
    return _frame_file("payment.html")


@bp.get("/_sandbox/elements/three-ds-2-challenge")
async def challenge_overlay(_: Request) -> HTTPResponse:
    return _frame_file("three-ds-2-challenge.html")


@bp.get("/_sandbox/3ds/<payment_intent:str>")
async def challenge(_: Request, payment_intent: str) -> HTTPResponse:
    # The page's script reads the payment from its own address.
    return _frame_file("challenge.html")


@bp.get("/_sandbox/elements/session")
async def element_session(request: Request) -> HTTPResponse:
    """What the card frame asks before it is ready: which methods it offers.

    401 for a foreign key, 500 for `element: loaderror`.
    """
    if request.args.get("key") != request.app.ctx.config.publishable_key:
        return _error(401, "invalid_request_error", "Invalid API Key provided.")
    if request.app.ctx.browser_trouble.element == "loaderror":
        return _error(500, "api_error", "The payment form cannot be shown.")
    return json_response({"payment_method_types": _offered(request)}, headers=COMMON_HEADERS)


def _offered(request: Request) -> list[str]:
    """For `client_secret` what that intent takes, else by `currency` and the lists `allowed`, `excluded`."""
    state: State = request.app.ctx.state
    secret = request.args.get("client_secret")
    if secret is not None:
        found = state.where("payment_intent", client_secret=secret)
        return found[0]["payment_method_types"] if found else []
    args = request.args
    return methods.offered(
        args.get("currency", ""),
        allowed=args.getlist("allowed") or None,
        excluded=args.getlist("excluded"),
    )


@bp.get(r"/_sandbox/elements/<name:[a-z0-9-]+\.(?:js|css)>")
async def frame_asset(_: Request, name: str) -> HTTPResponse:
    return _frame_file(name) if name in FRAMES else text("", status=404)


def _trouble_answer(trouble: Trouble) -> HTTPResponse:
    return json_response(asdict(trouble), headers=COMMON_HEADERS)


@bp.get("/_sandbox/browser")
async def read_trouble(request: Request) -> HTTPResponse:
    return _trouble_answer(request.app.ctx.browser_trouble)


@bp.post("/_sandbox/browser")
async def make_trouble(request: Request) -> HTTPResponse:
    try:
        trouble = Trouble.parse(json.loads(request.body or b"{}"))
    except ValueError as refused:
        return _error(400, "invalid_request_error", str(refused))
    request.app.ctx.browser_trouble = trouble
    return _trouble_answer(trouble)
