"""The one clock: aware UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_set_back = ContextVar("set_back", default=timedelta())


def now() -> datetime:
    return datetime.now(UTC) - _set_back.get()


@contextmanager
def set_back(by: timedelta) -> Iterator[None]:
    """Inside, it is that much earlier: how the demo comes to have a past."""
    token = _set_back.set(by)
    try:
        yield
    finally:
        _set_back.reset(token)


def from_unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
