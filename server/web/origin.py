"""Proof of origin: what changes something must have been sent by a page of ours.

Browsers say who sends a request: by Fetch Metadata, or at least by Origin. So a page needs no token to be
safe, and can be the same for everybody. The token decides only where no header tells.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sanic import HTTPResponse, Request
from sanic.request.parameters import RequestParameters

from server.errors import PlaybillError
from server.i18n import N_
from server.settings import settings
from server.web import csrf
from server.web.errors import wants_json
from server.web.templating import page

Handler = TypeVar("Handler", bound=Callable[..., Any])
Origin = tuple[str, str, int]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443}


class ForeignOrigin(PlaybillError):
    """Another site sent this, or the visitor opened ours under another name than its own."""

    status = 403
    code = "foreign_origin"
    message = N_("This came from another address, so nothing was done.")

    @property
    def details(self) -> dict[str, object]:
        return {"address": settings().public_url}


def stands_on_public_pages(button: str) -> Callable[[Handler], Handler]:
    """State that forms of pages without a token post to this route, and what their button says.

    Without proof the form comes back by itself, with a token: nothing is done, and nothing is lost.
    """

    def mark(handler: Handler) -> Handler:
        handler.button = button  # type: ignore[attr-defined]
        return handler

    return mark


def check(request: Request) -> HTTPResponse | None:
    """Raise unless one of our pages sent this; or return the form that is to be sent once more."""
    if request.method in SAFE:
        return None
    is_ours = _is_ours(request)
    if is_ours is False:
        raise ForeignOrigin
    if is_ours or csrf.is_proven(request):
        return None
    button = getattr(request.route.handler, "button", None) if request.route else None
    if button is None or wants_json(request):
        raise csrf.CsrfRejected
    posted = request.form or RequestParameters()
    fields = [(name, value) for name, values in posted.items() for value in values]
    return page(
        "errors/again.html",
        status=403,
        request=request,
        button=button,
        fields=[field for field in fields if field[0] != csrf.FIELD],
    )


def _is_ours(request: Request) -> bool | None:
    """Whether a page of ours sent this; None where no header tells.

    Never by Host: whoever opens the site under a name of their own chooses that.
    """
    site = request.headers.getone("sec-fetch-site", None)
    if site is not None:
        return None if site == "none" else site == "same-origin"
    origin = request.headers.getone("origin", None)
    if origin is None or origin == "null":
        return None
    theirs = read_origin(origin)
    return theirs is not None and theirs == read_origin(settings().public_url)


@lru_cache(maxsize=100)
def read_origin(text: str) -> Origin | None:
    """Scheme, host and port as browsers compare them; None for what is no origin."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        is_whole = f"{parts.scheme}://{parts.netloc}".lower() == text.lower()
        if not host or "@" in parts.netloc or not is_whole:
            return None
        name = ip_address(host).compressed if ":" in host else host.encode("idna").decode()
        return parts.scheme, name, port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):  # no port, no address, no name, another scheme
        return None
