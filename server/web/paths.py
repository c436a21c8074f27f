"""What may stand in a path for an id, a slug, an order number or a token."""

import re

from sanic import Request

from server.errors import NotFound

OURS = re.compile(r"[A-Za-z0-9_-]+")


def check(request: Request) -> None:
    """Raise NotFound for a name that nothing of ours can have.

    MariaDB ignores blanks at the end of a text: `/admin/users/<id>%20` would find the row, and every
    comparison in Python would take it for another one.
    """
    for value in request.match_info.values():
        if isinstance(value, str) and not OURS.fullmatch(value):
            raise NotFound
