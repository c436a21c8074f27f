"""Every route states its audience; a test walks the router and fails on a route without one."""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from sanic import Request

from server.accounts.models import Role
from server.errors import Forbidden, SignInFirst

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Audience(Enum):
    ALL = "all"
    # Whoever owns the object: an account or an order key. The handler looks it up for this viewer, and
    # answers 404 to everybody else.
    BUYER = "buyer"
    WATCHER = "watcher"  # a viewer with a grant: the handler asks access.may_watch
    SIGNED_IN = "signed_in"
    STAFF = "staff"
    EDITOR = "editor"
    SUPPORT = "support"
    ADMIN = "admin"
    # Programs that prove themselves in their own way, or need not: no cookies, no CSRF token.
    MACHINE = "machine"


ROLES: dict[Audience, frozenset[Role]] = {
    Audience.STAFF: frozenset(role for role in Role if role.is_staff),
    Audience.EDITOR: frozenset(role for role in Role if role.is_editor),
    Audience.SUPPORT: frozenset(role for role in Role if role.is_support),
    Audience.ADMIN: frozenset({Role.ADMIN}),
}


def audience(who: Audience) -> Callable[[Handler], Handler]:
    """State whom a route answers; stands between the route decorator and the handler."""

    def mark(handler: Handler) -> Handler:
        handler.audience = who  # type: ignore[attr-defined]
        return handler

    return mark


def of(request: Request) -> Audience | None:
    """The audience of the route that was found; None for static files and unknown paths."""
    return getattr(request.route.handler, "audience", None) if request.route else None


def enforce(request: Request, who: Audience) -> None:
    if who in (Audience.ALL, Audience.BUYER, Audience.WATCHER, Audience.MACHINE):
        return
    account = request.ctx.account
    if account is None:
        raise SignInFirst
    if who in ROLES and account.role not in ROLES[who]:
        raise Forbidden
