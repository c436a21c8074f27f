"""The token: a page carries an HMAC of a random HttpOnly cookie, and what it posts sends it back.

It decides where no header tells which page posted (see origin.py). It is made only when a template asks for
it, so a page that needs none carries nothing of its visitor and may be cached.
"""

from sanic import HTTPResponse, Request

from server.errors import PlaybillError
from server.i18n import N_
from server.settings import settings
from server.tokens import mac, new_token, same
from server.web import cookies

FIELD = "csrf_token"


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


def is_proven(request: Request) -> bool:
    """Whether this carries the token of its browser, in its form or in a header."""
    seed = cookies.read(request, cookies.CSRF)
    given = request.headers.get("x-csrf-token")
    if given is None and "json" not in request.headers.get("content-type", ""):
        given = request.form.get(FIELD) if request.form else None
    return bool(seed and given and given.isascii() and same(_token(seed), given))
