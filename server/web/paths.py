"""What may stand in a path: an id, a slug, an order number, a token, or the name of a static file."""

import re
from pathlib import Path

from sanic import Request

from server.errors import NotFound
from server.settings import ROOT

OURS = re.compile(r"[A-Za-z0-9_-]+")
FILE = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
STATIC = ROOT / "static"


def check(request: Request) -> None:
    """Raise NotFound for a name that nothing of ours can have.

    MariaDB ignores blanks at the end of a text: `/admin/users/<id>%20` would find the row, and every
    comparison in Python would take it for another one.
    """
    for value in request.match_info.values():
        if isinstance(value, str) and not OURS.fullmatch(value):
            raise NotFound


def check_file(request: Request) -> None:
    """Raise NotFound for a static file that is not there; of some names Sanic would log an error."""
    name = request.match_info["__file_uri__"]
    if not FILE.fullmatch(name) or not is_file(STATIC / name):
        raise NotFound


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a name can be
        return False
