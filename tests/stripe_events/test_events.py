"""Which events are asked for, who handles them, and that each has its effect once."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from server.database.session import current_session
from server.integrations.gateways import gateways
from server.integrations.stripe_facts import EventFact
from server.settings import Settings
from server.stripe_events import service as events
from server.stripe_events.models import StripeEvent
from server.stripe_events.service import Outcome, Subscription
from server.wiring import STRIPE_EVENTS
from tests.conftest import Sandbox, Site
from tests.factories import create_course, deliver, order_in, pay, signature_of

pytestmark = pytest.mark.usefixtures("session")


async def handled_events() -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(StripeEvent)) or 0


@pytest.fixture
def heard(site: Site) -> Iterator[list[str | None]]:
    """A domain that wants to know of payouts: which it was told of."""
    payouts: list[str | None] = []

    async def note(event: EventFact) -> Outcome:
        async def keep() -> None:
            payouts.append(event.object_id)

        return await events.once(event, keep)

    kinds = [
        f"{thing}.{what}"
        for thing in ("payout", "customer")
        for what in ("paid", "created", "updated", "deleted")
    ]
    events.subscribe([*STRIPE_EVENTS, Subscription(tuple(kinds), note)])
    yield payouts
    events.subscribe(STRIPE_EVENTS)


def payout(**changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_payout",
        "object": "event",
        "type": "payout.paid",
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": {"id": "po_1", "object": "payout", "amount": 100}},
    } | changes


async def post(site: Site, settings: Settings, told: object) -> httpx.Response:
    body = json.dumps(told).encode()
    return await deliver(site.client(), body, signature_of(body, settings.webhook_secrets[0]))


async def test_an_event_without_an_intent_reaches_the_domain_that_asked_for_it_once(
    site: Site, settings: Settings, heard: list[str | None]
) -> None:
    answers = await asyncio.gather(*(post(site, settings, payout()) for _ in range(4)))

    assert sorted(answer.json()["outcome"] for answer in answers) == ["applied", *["duplicate"] * 3]
    assert heard == ["po_1"]
    assert await handled_events() == 1


async def test_what_a_handler_cannot_do_now_comes_again(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effect and the note that it is there stand or fall together."""
    tries: list[str] = []

    async def fail_once(event: EventFact) -> Outcome:
        async def act() -> None:
            tries.append(event.id)
            if len(tries) == 1:
                raise RuntimeError("a bad day")

        return await events.once(event, act)

    events.subscribe([Subscription(("payout.paid",), fail_once)])
    try:
        answers = [await post(site, settings, payout()) for _ in range(3)]
    finally:
        events.subscribe(STRIPE_EVENTS)

    assert [answer.status_code for answer in answers] == [500, 200, 200]
    assert answers[2].json() == {"outcome": "duplicate"}
    assert len(tries) == 2


async def test_more_types_than_one_list_may_have_are_all_read_in_order(
    site: Site, sandbox: Sandbox, heard: list[str | None]
) -> None:
    """Stripe lists events of at most 20 types at a time."""
    await create_course()
    await pay(sandbox, await order_in(site.client()))
    asked = [*events.types()]
    await current_session().reset()

    told = await gateways().stripe.events_since(0, asked[::-1])

    assert len(asked) > 20
    assert len(sandbox.requests("GET", "/v1/events")) == 2
    assert "payment_intent.succeeded" in {event.type for event in told}
    assert [event.created for event in told] == sorted(event.created for event in told)


def test_a_type_has_one_handler() -> None:
    with pytest.raises(AssertionError, match=r"two handlers of refund\.created"):
        events.subscribe([*STRIPE_EVENTS, Subscription(("refund.created",), STRIPE_EVENTS[0].handle)])
    events.subscribe(STRIPE_EVENTS)


LONG = "x" * 10_000


NONSENSE: list[tuple[Any, str]] = [
    (payout(id=None), "id"),
    (payout(id=LONG), "id"),
    (payout(id=""), "id"),
    (payout(id=["evt_1"]), "id"),
    (payout(id="evt\ud800"), "id"),
    (payout(id="evt_1\nINFO all is well"), "id"),
    (payout(type=7), "type"),
    (payout(type=None), "type"),
    (payout(type={"a": 1}), "type"),
    (payout(type=LONG), "type"),
    (payout(created="1790000000"), "created"),
    (payout(created=-1), "created"),
    (payout(created=0), "created"),
    (payout(created=10**30), "created"),
    (payout(created=1790000000.5), "created"),
    (payout(created=True), "created"),
    (payout(created=None), "created"),
    (payout(livemode="false"), "livemode"),
    (payout(livemode=0), "livemode"),
    (payout(data=None), "data"),
    (payout(data=[]), "data"),
    (payout(data={}), "data.object"),
    (payout(data={"object": []}), "data.object"),
    (payout(data={"object": "po_1"}), "data.object"),
    (payout(data={"object": {"id": LONG}}), "data.object.id"),
    (payout(data={"object": {"id": 7}}), "data.object.id"),
    (payout(data={"object": {"object": ["payment_intent"]}}), "data.object.object"),
    (payout(data={"object": {"payment_intent": LONG}}), "data.object.payment_intent"),
    (payout(data={"object": {"payment_intent": {"id": LONG}}}), "data.object.payment_intent"),
    (payout(data={"object": {"payment_intent": ["pi_1"]}}), "data.object.payment_intent"),
    (payout(data={"object": {"metadata": ["app"]}}), "data.object.metadata"),
    ([], "body"),
    (7, "body"),
    (None, "body"),
]


async def test_signed_nonsense_is_400_and_one_line_in_the_log(
    site: Site, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Also of a type that concerns us: it is refused before anybody handles it."""
    expected, found = [], []
    for told, place in NONSENSE:
        for kind in ("payout.paid", "payment_intent.succeeded"):
            is_typed = isinstance(told, dict) and told["type"] == "payout.paid"
            caplog.clear()
            answer = await post(site, settings, told | {"type": kind} if is_typed else told)
            expected.append((400, [f"a signed event makes no sense: {place}"]))
            found.append((answer.status_code, complaints(caplog)))

    assert found == expected


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("playbill")]


async def test_a_signed_body_that_cannot_be_read_is_400_and_one_line_in_the_log(
    site: Site, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for body in (b"no json", b"[" * 100_000, b'{"created": ' + b"9" * 5000 + b"}"):
        caplog.clear()
        answer = await deliver(site.client(), body, signature_of(body, settings.webhook_secrets[0]))

        assert answer.status_code == 400
        assert len(complaints(caplog)) == 1
