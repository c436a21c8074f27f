"""The drawn covers that a course can have; they lie with the other static files."""

from functools import cache

from server.settings import ROOT

COVER_FALLBACK = "img/covers/fallback.svg"


@cache
def covers() -> list[str]:
    """Paths below static/."""
    return sorted(f"img/covers/{file.name}" for file in (ROOT / "static/img/covers").glob("*.svg"))
