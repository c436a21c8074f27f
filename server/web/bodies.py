"""What may be posted: how much, and in which form.

Sanic has one limit for everybody and parses on the event loop, so a single request could stop a worker for
seconds: a multipart form is decoded with whatever charset its sender names (Python's punycode takes quadratic
time), eight megabytes of `a=1&a=1` are two million fields.
"""

from typing import Any
from urllib.parse import parse_qs

from sanic import Request
from sanic.cookies.request import CookieRequestParameters, parse_cookie
from sanic.request.parameters import RequestParameters

from server.errors import PlaybillError, Unreadable
from server.i18n import N_
from server.web import audience
from server.web.audience import Audience

MAX_BYTES = 64 * 1024
LARGER = {
    Audience.EDITOR: 2 * 1024 * 1024,  # a course in two languages: 9 bytes for each Korean letter
    Audience.MACHINE: 1024 * 1024,  # Stripe's events; what players post has limits of its own
}
MAX_FIELDS = 1000
MADE_UP = "NONE"  # Sanic's method of a request that could not be read
FORM = "application/x-www-form-urlencoded"


class TooLarge(PlaybillError):
    status = 413
    code = "too_large"
    message = N_("This is more than fits here. Please make it shorter and try again.")


class NoSuchForm(Unreadable):
    """No page of ours sends files."""

    status = 415
    code = "unsupported_media_type"


class BoundedRequest(Request[Any, Any]):
    def __init__(self, *, url_bytes: bytes, method: str, **others: Any) -> None:
        # To answer a request that cannot be read, Sanic makes one up, of the same target. If that was what
        # could not be read, the second one failed as well: no answer, and both in the log with the target.
        super().__init__(url_bytes=b"*" if method == MADE_UP else url_bytes, method=method, **others)

    async def receive_body(self) -> None:
        """Read to the end, up to Sanic's limit, and keep what this route takes.

        Nothing is raised here: the hooks run all the same, and would raise something else (see `check`). And
        whoever still sends would not read an answer.
        """
        limit = _limit(self)
        received = bytearray()
        assert self.stream is not None, "a request has one until it is answered"
        async for data in self.stream:  # type: ignore[attr-defined] # of Http, not of its base
            if len(received) <= limit:
                received += data
        self.ctx.body_is_too_large = len(received) > limit
        self.body = b"" if self.ctx.body_is_too_large else bytes(received)

    def get_form(self, keep_blank_values: bool = False) -> RequestParameters:
        """The fields of an urlencoded body; of any other, none. Raises Unreadable."""
        self.parsed_form, self.parsed_files = RequestParameters(), RequestParameters()
        if _content_type(self) == FORM:
            try:
                fields = parse_qs(self.body.decode(), keep_blank_values, max_num_fields=MAX_FIELDS)
            except ValueError as error:  # too many, or no UTF-8
                raise Unreadable from error
            self.parsed_form = RequestParameters(fields)
        return self.parsed_form

    def get_cookies(self) -> CookieRequestParameters:
        # Ours have no backslashes; undoing those of others takes Sanic quadratic time.
        header = self.headers.getone("cookie", "").replace("\\", "")
        self.parsed_cookies = CookieRequestParameters(parse_cookie(header))
        return self.parsed_cookies


def is_too_large(request: Request) -> bool:
    return getattr(request.ctx, "body_is_too_large", False)


def check(request: Request) -> None:
    """Raise unless this can be the form of a page, before anything parses it."""
    if is_too_large(request):
        raise TooLarge
    if _content_type(request).startswith("multipart/"):
        raise NoSuchForm


def _limit(request: Request) -> int:
    who = audience.of(request)
    return LARGER.get(who, MAX_BYTES) if who else MAX_BYTES


def _content_type(request: Request) -> str:
    return request.headers.getone("content-type", "").partition(";")[0].strip().lower()
