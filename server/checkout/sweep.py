"""The sweep: finds what no webhook told. Again and again in one worker of the site, and as `playbill sweep`.

First Stripe's events since the last cursor, then open intents with growing pauses; after a day an unpaid
one is canceled, and its order with it.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from server.alerts import service as alerts
from server.alerts.records import NotSettled
from server.audit import service as audit
from server.audit.records import Actor
from server.checkout import payment_repository, refund_repository, repository
from server.checkout.ending import end_payment
from server.checkout.following import settle
from server.checkout.models import OrderStatus, PaymentStatus
from server.checkout.records import PaymentRecord
from server.checkout.refunds import make_requested
from server.clock import from_unix, now
from server.database.outage import is_outage
from server.database.session import in_transaction, release
from server.errors import PlaybillError
from server.integrations.gateways import gateways
from server.integrations.stripe_facts import EventFact
from server.jobs.leases import Hold
from server.jobs.recurring import OncePerSite
from server.settings import settings
from server.stripe_events import service as stripe_events

PAUSES = [timedelta(seconds=s) for s in (10, 30, 60, 120, 300, 900, 3600)]
UNPAID_FOR = timedelta(hours=24)
# Stripe does not promise that an event is listed the moment it is created.
EVENTS_OVERLAP_S = 300
FIRST_LOOK_BACK_S = 3600
GIVE_UP_AFTER_S = 24 * 3600
TELL_STAFF_AFTER = timedelta(minutes=10)
PAYMENTS_PER_RUN = 200
CHECK_FOR_S = 15.0
ORDERS_PER_RUN = 100
REFUND_WAITS = timedelta(seconds=10)  # whoever has asked for it is given time to make it

ACTOR = Actor.job("sweep")

log = logging.getLogger("playbill.sweep")


async def run(*, at_once: bool = False) -> bool:
    """One sweep; False if another worker is at it, or (unless `at_once`) has just been."""
    return await repeated().run(at_once=at_once)


async def _sweep(hold: Hold) -> None:
    await _survive("reading events", partial(_read_events, hold))
    await _check_open_payments()
    await _end_forgotten_orders()
    await _make_requested_refunds()


def repeated() -> OncePerSite:
    return OncePerSite("sweep", _sweep, every_s=settings().sweep_interval_s)


async def _read_events(hold: Hold) -> None:
    # Stripe's own `created` (unix seconds), never our clock.
    found_at = await hold.cursor()
    cursor = int(found_at) if found_at else None
    await release()
    gateway = gateways().stripe
    if cursor is None:
        # Stripe's clock, not ours: an hour before its newest event.
        cursor = max(0, await gateway.newest_event_created() - FIRST_LOOK_BACK_S)
    found = await gateway.events_since(max(0, cursor - EVENTS_OVERLAP_S), stripe_events.types())
    known = await stripe_events.handled([event.id for event in found])
    await release()
    reached = cursor
    stuck = False
    for event in found:
        if event.id not in known:
            failure = await _survive(f"event {event.id}", partial(stripe_events.take, event))
            if failure and now() - from_unix(event.created) > TELL_STAFF_AFTER:
                await _tell_staff(event, failure)
            # What failed is read again next time, with all that came after it; but not for ever.
            stuck = stuck or bool(failure and event.created >= found[-1].created - GIVE_UP_AFTER_S)
        if not stuck:
            reached = max(reached, event.created)
    await hold.move_cursor(str(reached))


async def _check_open_payments() -> None:
    at = now()
    due = await payment_repository.list_due(at, at + 2 * PAUSES[-1], PAYMENTS_PER_RUN)
    began = time.monotonic()
    for payment in due:
        if time.monotonic() - began > CHECK_FOR_S:
            break  # the next look at Stripe's events must not wait for the rest
        pause = PAUSES[min(payment.checks + 1, len(PAUSES) - 1)]
        # Before the look: a payment that fails to settle must not be looked at without a pause.
        later = partial(payment_repository.check_later, payment.id, payment.checks + 1, now() + pause)
        await in_transaction(later)
        await _survive(f"payment {payment.id}", partial(_check, payment))


async def _check(payment: PaymentRecord) -> None:
    order = await repository.look(payment.order_id)
    is_late = now() - payment.created_at >= UNPAID_FOR and payment.status is not PaymentStatus.PROCESSING
    if is_late or order.status is OrderStatus.CANCELED:
        await end_payment(payment)
    elif payment.intent_id is not None:
        await settle(payment.intent_id)
    if is_late:
        await in_transaction(_end_if_unpaid, order.id)


async def _end_forgotten_orders() -> None:
    """A pending order whose payments are all canceled ends a day after it was made."""
    for order_id in await repository.list_forgotten(now() - UNPAID_FOR, ORDERS_PER_RUN):
        await in_transaction(_end_if_unpaid, order_id)


async def _end_if_unpaid(order_id: str) -> None:
    order = await repository.lock(order_id)
    if order is not None and order.is_pending and order.open_payment is None:
        await repository.cancel(order, now())
        states = {"status": OrderStatus.PENDING}, {"status": OrderStatus.CANCELED}
        await audit.note(ACTOR, "order.cancel", "order", order.number, before=states[0], after=states[1])


async def _make_requested_refunds() -> None:
    """Go on with refunds that a crash, or Stripe's silence, has left without an answer."""
    for order_id in await refund_repository.list_requested(now() - REFUND_WAITS, ORDERS_PER_RUN):
        await _survive(f"refunds of order {order_id}", partial(make_requested, order_id))


async def _tell_staff(event: EventFact, failure: str) -> None:
    about = event.intent_id or event.object_id or event.id
    await in_transaction(
        alerts.raise_alert, NotSettled(intent=about, type=event.type, reason=failure), f"not_settled:{about}"
    )


async def _survive(what: str, act: Callable[[], Awaitable[object]]) -> str | None:
    """Do one thing of many: what fails is logged and comes up again, and the others have their turn.

    Returns what went wrong, as a word for staff.
    """
    try:
        await act()
    except PlaybillError as error:
        log.warning("%s: %s", what, type(error).__name__)
        return error.code
    except Exception as error:
        if is_outage(error):
            raise  # nothing else will work either
        log.exception("%s failed", what)
        return type(error).__name__
    return None
