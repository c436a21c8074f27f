"""Kinds of jobs that only the tests have, and clocks that are wrong."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from server.clock import now
from server.jobs import leases, running, service, worker
from server.settings import Settings, configure
from server.wiring import JOBS

Ahead = Callable[[timedelta], None]


@pytest.fixture
def clock_is_ahead(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    def turn(by: timedelta) -> None:
        def wrong() -> datetime:
            return now() + by

        for module in (leases, running, service, worker):
            monkeypatch.setattr(module, "now", wrong)

    return turn


@pytest.fixture
def short_term(settings: Settings) -> Iterator[None]:
    """A lease is renewed three times in a second, and lost after it."""
    configure(settings.model_copy(update={"lease_s": 1}))
    yield
    configure(settings)


@pytest.fixture
def kinds() -> Iterator[Callable[..., None]]:
    """Registers kinds beside those of the product."""

    def register(*more: service.Kind) -> None:
        service.register([*JOBS, *more])

    register()
    yield register
    service.register(JOBS)
