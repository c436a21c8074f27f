"""The lists that domains join."""

from server import wiring
from server.jobs.recurring import EveryWorker, OncePerSite
from server.settings import Settings, configure
from tests.engines import on_sqlite


@on_sqlite
def test_what_repeats_says_whether_each_worker_does_it(settings: Settings) -> None:
    """A sweep by every worker would ask Stripe over and over; jobs of one worker alone would wait in line."""
    configure(settings)

    told = {repeated.name: type(repeated) for repeated in wiring.recurring()}

    assert told == {"sweep": OncePerSite, "mail": EveryWorker, "jobs": EveryWorker, "tidy": OncePerSite}
