"""What the site lets in at once is divided among its workers, which do not know of each other."""

from contextlib import ExitStack
from itertools import count

import pytest

from server import settings
from server.accounts import turnstile
from server.accounts.turnstile import Crowded, NetworkCrowded
from server.errors import PlaybillError
from server.settings import Settings

# Workers → what each of them lets in: of one network, and in all.
SHARES = [(1, 4, 16), (2, 2, 8), (3, 2, 5), (4, 2, 4), (16, 2, 4)]


def let_in(networks: "count[int] | None", refusal: type[PlaybillError]) -> int:
    """How many are inside when the next one is refused; all of one network unless each comes from another."""
    with ExitStack() as inside:
        for number in count():
            network = f"203.0.113.{next(networks)}" if networks else "203.0.113.9"
            try:
                inside.enter_context(turnstile.passed(network))
            except refusal:
                return number
    raise AssertionError("unreachable")


@pytest.mark.parametrize(("workers", "of_a_network", "in_all"), SHARES)
def test_each_worker_has_its_share_and_never_less_than_it_can_hash(
    workers: int, of_a_network: int, in_all: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_current", Settings(workers=workers))

    assert let_in(None, NetworkCrowded) == of_a_network
    assert let_in(count(), Crowded) == in_all
