"""Promise 1: whoever paid is in, though every webhook is lost."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from server.access.models import Grant, GrantState
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.catalog.models import Course
from server.checkout import payment_repository, recounting, sweep
from server.checkout import service as checkout
from server.checkout.models import Order, OrderStatus, Payment, PaymentStatus
from server.clock import now
from server.database.session import current_session, transaction
from server.integrations.gateways import gateways
from server.jobs import leases
from server.jobs.models import JobLease
from server.stripe_events.models import StripeEvent
from tests.conftest import Sandbox, Site
from tests.factories import entries_of, intent_of, order_in, pay, status_of


async def grants() -> list[GrantState]:
    await current_session().reset()
    return list(await current_session().scalars(select(Grant.state)))


async def payment() -> Payment:
    await current_session().reset()
    return (await current_session().scalars(select(Payment))).one()


def object_of(sandbox: Sandbox, kind: str) -> str:
    return str(sandbox.event(kind)["data"]["object"]["id"])


async def make_due(**values: object) -> None:
    async with transaction():
        await current_session().execute(update(Payment).values(next_check_at=now(), **values))


async def test_with_every_webhook_lost_the_events_open_access(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    await pay(sandbox, order)

    await sweep.run(at_once=True)

    assert await grants() == [GrantState.ACTIVE]
    assert await status_of(browser, order) == "paid"


async def test_an_open_intent_is_looked_at_though_no_event_tells(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await pay(sandbox, await order_in(browser))
    async with transaction():  # the cursor lies behind every event
        current_session().add(JobLease(name="sweep", cursor=str(2**40)))
    await make_due()

    await sweep.run(at_once=True)

    assert await grants() == [GrantState.ACTIVE]


async def test_each_look_waits_longer_than_the_one_before(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await order_in(browser)
    for seconds in (30, 60, 120, 300, 900, 3600, 3600, 3600):
        await make_due()
        began = now()
        await sweep.run(at_once=True)
        looked_at = (await payment()).next_check_at - timedelta(seconds=seconds)
        assert began <= looked_at <= now(), seconds


async def test_refunds_and_disputes_made_at_stripe_are_found_by_the_sweep(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order = await order_in(browser)
    await pay(sandbox, order)
    await sweep.run(at_once=True)
    charge = object_of(sandbox, "charge.succeeded")

    await sandbox.astripe(f"charges/{charge}/dispute")
    await sweep.run(at_once=True)
    suspended = await grants()
    dispute = object_of(sandbox, "charge.dispute.created")
    await sandbox.astripe(f"disputes/{dispute}/close", won=True)
    await sweep.run(at_once=True)
    restored = await grants()
    await sandbox.astripe(f"charges/{charge}/refund")
    await sweep.run(at_once=True)

    assert (suspended, restored, await grants()) == (
        [GrantState.SUSPENDED],
        [GrantState.ACTIVE],
        [GrantState.REVOKED],
    )


async def test_an_event_that_fails_is_read_again_and_holds_up_no_other(
    shop: Site, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    quote = await checkout.quote(["first-night"], "KRW")
    await current_session().reset()
    homeless = await gateways().stripe.create_intent(
        order_number="AAAAA-BBBBB",
        attempt=1,
        tries=0,
        amount=33000,
        currency="KRW",
        quote_digest=quote.digest,
    )
    await sandbox.astripe(f"confirm/{homeless.id}", card="pm_card_visa", outcome="complete")
    await pay(sandbox, await order_in(browser))

    await sweep.run(at_once=True)
    opened = await grants()
    async with transaction():
        await current_session().execute(update(Order).values(number="AAAAA-BBBBB"))
        await current_session().execute(update(Payment).values(intent_id=homeless.id))
        await current_session().execute(Grant.__table__.delete())  # type: ignore[attr-defined]
    await sweep.run(at_once=True)

    assert opened == [GrantState.ACTIVE]
    assert await grants() == [GrantState.ACTIVE]


async def test_an_event_that_cannot_be_settled_reaches_a_person(
    shop: Site, session: None, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restored backup may lack an order that Stripe was paid for."""
    monkeypatch.setattr(sweep, "TELL_STAFF_AFTER", timedelta(0))
    await current_session().reset()
    intent = await gateways().stripe.create_intent(
        order_number="AAAAA-BBBBB", attempt=1, tries=0, amount=33000, currency="KRW", quote_digest="x"
    )
    await sandbox.astripe(f"confirm/{intent.id}", card="pm_card_visa", outcome="complete")

    await sweep.run(at_once=True)
    await sweep.run(at_once=True)

    await current_session().reset()
    (alert,) = await alerts.open_alerts()
    assert (alert.kind, alert.facts["intent"]) == (AlertKind.NOT_SETTLED, intent.id)


async def test_events_are_settled_once_however_often_they_are_read(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await pay(sandbox, await order_in(browser))
    await sweep.run(at_once=True)
    calls = len(sandbox.requests("GET", "/v1/charges"))

    await sweep.run(at_once=True)

    assert len(sandbox.requests("GET", "/v1/charges")) == calls
    await current_session().reset()
    assert await current_session().scalar(select(func.count()).select_from(StripeEvent)) == 1


async def test_one_worker_sweeps_at_a_time(shop: Site, session: None) -> None:
    assert await sweep.run()
    assert not await sweep.run(), "somebody has just been"
    assert await sweep.run(at_once=True)

    assert await leases.take("sweep", timedelta(0), even_in_pause=True)
    assert not await sweep.run(at_once=True), "somebody is at it"


async def test_an_order_whose_intent_was_never_made_ends_after_a_day(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await order_in(browser)
    await make_due(intent_id=None, created_at=now() - timedelta(hours=25))

    await sweep.run(at_once=True)

    await current_session().reset()
    order = (await current_session().scalars(select(Order))).one()
    assert order.status is OrderStatus.CANCELED
    assert (await payment()).status is PaymentStatus.CANCELED
    entries = await entries_of("order", order.number)
    assert [(one.actor_id, one.act) for one in entries] == [("sweep", "order.cancel")]


async def test_an_order_that_is_being_paid_is_not_canceled_under_the_buyer(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The sweep has seen an old payment without an intent; meanwhile *Pay* is pressed and makes one."""
    await order_in(browser)
    await make_due(intent_id=None, created_at=now() - timedelta(hours=25))
    seen = (await payment_repository.list_due(now(), now() + timedelta(hours=2), 10))[0]
    again = await order_in(browser)

    async with transaction():
        await payment_repository.cancel(seen.id, seen.intent_id)

    await pay(sandbox, again)
    await sweep.run(at_once=True)
    assert await grants() == [GrantState.ACTIVE]


async def test_an_intent_that_went_through_at_the_last_moment_is_not_canceled(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await pay(sandbox, await order_in(browser))
    async with transaction():
        current_session().add(JobLease(name="sweep", cursor=str(2**40)))
    await make_due(created_at=now() - timedelta(hours=25))

    await sweep.run(at_once=True)

    assert await grants() == [GrantState.ACTIVE]


async def test_an_order_whose_payment_was_canceled_ends_after_a_day(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A canceled payment leaves its order pending; nobody may find it there for ever."""
    order = await order_in(browser)
    await current_session().reset()
    await gateways().stripe.cancel_intent(intent_of(order))
    await checkout.settle(intent_of(order))
    await sweep.run(at_once=True)
    await current_session().reset()
    young = (await current_session().scalars(select(Order.status))).one()
    async with transaction():
        await current_session().execute(update(Order).values(created_at=now() - timedelta(hours=25)))

    await sweep.run(at_once=True)

    await current_session().reset()
    old = (await current_session().scalars(select(Order.status))).one()
    assert (young, old) == (OrderStatus.PENDING, OrderStatus.CANCELED)


async def test_stripe_down_costs_the_sweep_one_round(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await pay(sandbox, await order_in(browser))
    await sandbox.astripe("settings", api_fail="429")
    await sweep.run(at_once=True)
    assert await grants() == []
    await sandbox.astripe("settings", api_fail=None)

    await sweep.run(at_once=True)

    assert await grants() == [GrantState.ACTIVE]


async def test_the_popular_order_follows_the_sales(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await pay(sandbox, await order_in(browser))
    await sweep.run(at_once=True)

    await recounting.recount_sales()

    await current_session().reset()
    assert (await current_session().scalars(select(Course.sold_count))).all() == [1]
