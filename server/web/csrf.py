"""CSRF: the page carries an HMAC of a random HttpOnly cookie; unsafe requests send it back.

The token is made only when a template asks for it, so a page that cannot post carries nothing of
its visitor and may be cached.
"""

from sanic import HTTPResponse, Request

from server.errors import PlaybillError
from server.i18n import N_
from server.settings import settings
from server.tokens import mac, new_token, same
from server.web import cookies

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfRejected(PlaybillError):
    status = 403
    code = "csrf"
    message = N_("This page was open for a long time. Please reload it and try again.")


class CsrfToken:
    """Renders as the token; remembers that it was asked for."""

    def __init__(self, request: Request) -> None:
        self._seed = cookies.read(request, cookies.CSRF)
        self._is_new = self._seed is None
        self.used = False

    def __str__(self) -> str:
        self.used = True
        if self._seed is None:
            self._seed = new_token()
        return _token(self._seed)

    def settle(self, response: HTTPResponse) -> None:
        """Set the cookie that belongs to a token that was rendered, and forbid caching."""
        if not self.used:
            return
        response.headers["Cache-Control"] = "no-store"
        if self._is_new and self._seed is not None:
            cookies.put(response, cookies.CSRF, self._seed, max_age=cookies.YEAR_S)


def _token(seed: str) -> str:
    return mac(settings().secret_key, "csrf", seed)


def check(request: Request) -> None:
    """Raise unless an unsafe request proves that one of our pages sent it."""
    if request.method in SAFE:
        return
    seed = cookies.read(request, cookies.CSRF)
    given = request.headers.get("x-csrf-token")
    if given is None and "json" not in request.headers.get("content-type", ""):
        given = request.form.get("csrf_token") if request.form else None
    if not seed or not given or not given.isascii() or not same(_token(seed), given):
        raise CsrfRejected
