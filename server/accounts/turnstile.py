"""How many at once may have a password checked or set.

A hash takes 64 MiB and a core for a tenth of a second. A hundred wrong sign-ins at once from one network
made everybody else's wait ten seconds behind them and held every connection of the pool. So whoever comes
to a full turnstile is told at once to press again, and one network never fills it.

What the site lets in is divided among its workers, for they hash on the same cores. Each lets in at least as
many of a network as it hashes at a time: with more than two workers the site lets in more than these.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from server.accounts.passwords import HASHED_AT_ONCE
from server.errors import TooMany, Unavailable
from server.i18n import N_
from server.settings import settings

# Of the site. Behind one network's share a sign-in waits for two pairs of hashes, behind a full turnstile for
# eight. Together they hold fewer connections than the pool has.
PER_NETWORK, IN_ALL = 4, 16

_inside: Counter[str] = Counter()


class NetworkCrowded(TooMany):
    code = "network_crowded"
    message = N_("Many are signing in from your network right now. Please press again in a few seconds.")


class Crowded(Unavailable):
    code = "crowded"
    message = N_("Many are signing in right now. Please press again in a few seconds.")


@contextmanager
def passed(network: str) -> Iterator[None]:
    """Be one of those inside; raises NetworkCrowded or Crowded instead of waiting."""
    of_network = max(HASHED_AT_ONCE, PER_NETWORK // settings().workers)
    in_all = max(2 * of_network, IN_ALL // settings().workers)
    if _inside[network] >= of_network:
        raise NetworkCrowded
    if _inside.total() >= in_all:
        raise Crowded
    _inside[network] += 1
    try:
        yield
    finally:
        _inside[network] -= 1
        if not _inside[network]:
            del _inside[network]  # no list of all who ever came
