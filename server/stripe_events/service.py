"""What Stripe tells by itself: the types of event that are asked for, and the one way they are taken.

Each domain says what it asks for, in a `subscriptions.py` of its own; `server/wiring.py` has the list.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from server.clock import from_unix, now
from server.database.session import in_transaction
from server.integrations.stripe_facts import EventFact
from server.stripe_events import repository

AT_A_TIME = 500


class Outcome(Enum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"  # this event's effect is in the database already
    NOT_OURS = "not_ours"
    DIFFERS = "differs"  # what Stripe has is not what we asked for: an alert, no effect


Handler = Callable[[EventFact], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Types of event and what handles them. What the handler raises makes the event come again.

    A handler fetches what the event names, and then does its effect by `once`, or in a transaction of its own
    that calls `note` first.
    """

    types: tuple[str, ...]
    handle: Handler


_handlers: dict[str, Handler] = {}


def subscribe(subscriptions: Iterable[Subscription]) -> None:
    """Make these the subscriptions of this process; called once, by whoever starts it."""
    _handlers.clear()
    for subscription in subscriptions:
        for kind in subscription.types:
            assert kind not in _handlers, f"two handlers of {kind}"
            _handlers[kind] = subscription.handle


def types() -> tuple[str, ...]:
    """All types that this site asks for; its endpoint at Stripe should be subscribed to just these."""
    assert _handlers, "subscribe() was not called"
    return tuple(_handlers)


async def take(event: EventFact) -> Outcome:
    """Have an event handled. Raises what its handler raises: then it must come again."""
    if event.type not in types():
        return Outcome.NOT_OURS
    return await _handlers[event.type](event)


async def once(event: EventFact, act: Callable[[], Awaitable[object]]) -> Outcome:
    """Do `act` in one transaction with the note that this event is handled; nothing if there is one."""

    async def handle() -> Outcome:
        if not await note(event):
            return Outcome.DUPLICATE
        await act()
        return Outcome.APPLIED

    return await in_transaction(handle)


async def note(event: EventFact) -> bool:
    """Write down, in the transaction of its effect, that an event is handled; False if that stands there."""
    return await repository.add(event.id, event.type, from_unix(event.created), now())


async def handled(event_ids: Sequence[str]) -> set[str]:
    """Which of these events have been handled, whatever came of them."""
    found = set[str]()
    for start in range(0, len(event_ids), AT_A_TIME):
        found |= await repository.known(event_ids[start : start + AT_A_TIME])
    return found
