"""What a state of Stripe means for an order, from values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import pytest

from server.access.models import GrantState
from server.checkout.decisions import Changes, decide, differences, payment_of
from server.checkout.models import OrderStatus, PaymentStatus, RefundReason
from server.checkout.records import (
    DisputeRecord,
    OrderItemRecord,
    OrderRecord,
    PaymentRecord,
    RefundItemRecord,
    RefundRecord,
)
from server.database.records import Record
from server.integrations.stripe_facts import Charge, DisputeFact, IntentState, RefundFact

Made = TypeVar("Made", bound=Record)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def record(kind: type[Made], **values: Any) -> Made:
    """Only what a decision looks at; whatever else is read raises."""
    made: Any = kind.model_construct(**values)
    return cast("Made", made)


def item(name: str, amount: int, refunded: int = 0) -> OrderItemRecord:
    return record(
        OrderItemRecord,
        id=name,
        course_id=f"course-{name}",
        list_amount=amount,
        amount=amount,
        refunded_amount=refunded,
    )


def payment(attempt: int, status: PaymentStatus, amount: int, intent: str | None) -> PaymentRecord:
    return record(
        PaymentRecord,
        id=f"payment-{attempt}",
        attempt=attempt,
        intent_id=intent,
        amount=amount,
        status=status,
        customer_id=None,
        declines=0,
        succeeded_at=NOON + timedelta(minutes=attempt) if status is PaymentStatus.SUCCEEDED else None,
    )


def order(*items: OrderItemRecord, payments: list[PaymentRecord], canceled: bool = False) -> OrderRecord:
    return record(
        OrderRecord,
        id="order",
        number="AAAAA-BBBBB",
        amount=sum(one.amount for one in items),
        currency="KRW",
        quote_digest="digest",
        canceled_at=NOON if canceled else None,
        items=list(items),
        payments=payments,
    )


def state(
    status: str, amount: int, *, intent: str = "pi_1", attempt: int = 1, refunds: tuple[RefundFact, ...] = ()
) -> IntentState:
    return IntentState(
        id=intent,
        status=status,
        amount=amount,
        amount_received=amount if status == "succeeded" else 0,
        currency="KRW",
        customer=None,
        metadata={
            "app": "playbill",
            "order_number": "AAAAA-BBBBB",
            "attempt": str(attempt),
            "quote": "digest",
        },
        client_secret="secret",
        charges=(Charge("ch_1", "succeeded", "visa", "4242"),) if status == "succeeded" else (),
        refunds=refunds,
    )


def given_back(amount: int, status: str = "succeeded", stripe_id: str = "re_1") -> RefundFact:
    return RefundFact(stripe_id, amount, "KRW", status, NOON)


def dispute(status: str) -> DisputeFact:
    return DisputeFact("dp_1", 100, "KRW", status, "fraudulent", NOON)


def paid(*items: OrderItemRecord, refunds: tuple[RefundFact, ...] = ()) -> Changes:
    """What a succeeded first payment with these refunds means."""
    total = sum(one.amount for one in items)
    only = payment(1, PaymentStatus.SUCCEEDED, total, "pi_1")
    return decide(order(*items, payments=[only]), only, [], [], state("succeeded", total, refunds=refunds))


def test_the_first_success_pays_and_opens_every_item() -> None:
    only = payment(1, PaymentStatus.CREATED, 300, "pi_1")
    found = decide(
        order(item("a", 100), item("b", 200), payments=[only]), only, [], [], state("succeeded", 300)
    )

    assert found.became_paid
    assert found.status is OrderStatus.PAID
    assert found.grants == {"a": GrantState.ACTIVE, "b": GrantState.ACTIVE}


def test_a_canceled_payment_leaves_its_order_pending() -> None:
    only = payment(1, PaymentStatus.CREATED, 100, "pi_1")
    found = decide(order(item("a", 100), payments=[only]), only, [], [], state("canceled", 100))

    assert (found.payment_status, found.status) == (PaymentStatus.CANCELED, OrderStatus.PENDING)


def test_an_order_that_we_canceled_stays_so_when_its_intent_is_canceled() -> None:
    only = payment(1, PaymentStatus.CREATED, 100, "pi_1")
    closed = order(item("a", 100), payments=[only], canceled=True)

    assert decide(closed, only, [], [], state("canceled", 100)).status is OrderStatus.CANCELED
    assert decide(closed, only, [], [], state("succeeded", 100)).status is OrderStatus.PAID  # paid means in


def test_settling_a_canceled_first_intent_does_not_undo_what_the_second_paid() -> None:
    first = payment(1, PaymentStatus.CREATED, 100, "pi_1")
    second = payment(2, PaymentStatus.SUCCEEDED, 100, "pi_2")
    found = decide(order(item("a", 100), payments=[first, second]), first, [], [], state("canceled", 100))

    assert found.status is OrderStatus.PAID
    assert found.grants == {"a": GrantState.ACTIVE}
    assert not found.became_paid


def test_a_second_success_of_one_order_is_surplus_and_changes_nothing_else() -> None:
    first = payment(1, PaymentStatus.CREATED, 100, "pi_1")
    second = payment(2, PaymentStatus.SUCCEEDED, 100, "pi_2")
    late = state("succeeded", 100, refunds=(given_back(100),))
    found = decide(order(item("a", 100), payments=[first, second]), first, [], [], late)

    assert found.is_surplus
    assert (found.status, found.refunded) == (OrderStatus.PAID, {"a": 0})
    assert [one.items for one in found.refunds] == [{}]


def test_a_refund_of_everything_is_of_every_item() -> None:
    found = paid(item("a", 100), item("b", 200), refunds=(given_back(300),))

    assert found.refunded == {"a": 100, "b": 200}
    assert found.status is OrderStatus.REFUNDED
    assert set(found.grants.values()) == {GrantState.REVOKED}


def test_a_partial_refund_of_one_item_is_of_that_item_and_keeps_it_open() -> None:
    found = paid(item("a", 100), refunds=(given_back(40),))

    assert found.refunded == {"a": 40}
    assert found.status is OrderStatus.PARTIALLY_REFUNDED
    assert found.grants == {"a": GrantState.ACTIVE}


def test_a_partial_refund_made_at_stripe_of_two_items_closes_none_by_guess() -> None:
    found = paid(item("a", 100), item("b", 200), refunds=(given_back(100),))

    assert found.refunded == {"a": 0, "b": 0}
    assert found.unassigned == 100
    assert set(found.grants.values()) == {GrantState.ACTIVE}
    assert found.status is OrderStatus.PARTIALLY_REFUNDED


def test_the_last_item_left_is_the_one_that_a_refund_at_stripe_is_of() -> None:
    ours = record(
        RefundRecord,
        id="refund-a",
        stripe_id="re_1",
        payment_id="payment-1",
        reason=RefundReason.STAFF,
        amount=100,
        status="succeeded",
        items=[record(RefundItemRecord, order_item_id="a", amount=100)],
    )
    only = payment(1, PaymentStatus.SUCCEEDED, 300, "pi_1")
    told = state("succeeded", 300, refunds=(given_back(100), given_back(50, stripe_id="re_2")))
    found = decide(order(item("a", 100, 100), item("b", 200), payments=[only]), only, [ours], [], told)

    assert found.refunded == {"a": 100, "b": 50}
    assert found.grants == {"a": GrantState.REVOKED, "b": GrantState.ACTIVE}
    assert found.unassigned == 0


def test_two_unassigned_refunds_that_add_up_to_the_whole_are_of_every_item() -> None:
    found = paid(item("a", 100), item("b", 200), refunds=(given_back(150), given_back(150, stripe_id="re_2")))

    assert found.refunded == {"a": 100, "b": 200}
    assert found.status is OrderStatus.REFUNDED


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_came_to_nothing_gives_nothing_back(status: str) -> None:
    found = paid(item("a", 100), refunds=(given_back(100, status),))

    assert (found.refunded, found.status) == ({"a": 0}, OrderStatus.PAID)
    assert found.grants == {"a": GrantState.ACTIVE}


def test_an_item_that_cost_nothing_is_bought_and_never_refunded() -> None:
    found = paid(item("a", 100), item("gift", 0), refunds=(given_back(100),))

    assert found.grants == {"a": GrantState.REVOKED, "gift": GrantState.ACTIVE}


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("warning_needs_response", GrantState.ACTIVE),
        ("needs_response", GrantState.SUSPENDED),
        ("won", GrantState.ACTIVE),
        ("lost", GrantState.REVOKED),
    ],
)
def test_a_dispute_of_the_paying_payment_decides_though_another_payment_is_settled(
    status: str, wanted: GrantState
) -> None:
    first = payment(1, PaymentStatus.CREATED, 100, "pi_1")
    second = payment(2, PaymentStatus.SUCCEEDED, 100, "pi_2")
    known = record(
        DisputeRecord, stripe_id="dp_1", payment_id=second.id, amount=100, currency="KRW", status=status
    )
    found = decide(
        order(item("a", 100), payments=[first, second]), first, [], [known], state("canceled", 100)
    )

    assert found.grants == {"a": wanted}


def test_an_intent_that_was_not_recorded_is_that_of_its_own_attempt() -> None:
    first = payment(1, PaymentStatus.CANCELED, 100, None)
    second = payment(2, PaymentStatus.CREATED, 100, None)
    both = order(item("a", 100), payments=[first, second])

    assert payment_of(both, state("requires_action", 100, intent="pi_9", attempt=2)) is second
    assert payment_of(both, state("requires_action", 100, intent="pi_9", attempt=1)) is first
    assert payment_of(both, state("requires_action", 100, intent="pi_9", attempt=3)) is None


def test_an_intent_of_another_quote_differs() -> None:
    only = payment(1, PaymentStatus.CREATED, 100, "pi_1")
    ours = order(item("a", 100), payments=[only])
    other = state("succeeded", 100)
    other.metadata["quote"] = "another"

    assert differences(ours, only, state("succeeded", 100)) == []
    assert differences(ours, only, other) == ["quote"]


@pytest.mark.parametrize(
    ("stored", "told", "found"),
    [
        ("cus_1", "cus_1", []),
        ("cus_1", "cus_2", ["customer"]),
        ("cus_1", None, ["customer"]),
        (None, "cus_1", ["customer"]),
        (None, None, []),
    ],
)
def test_an_intent_of_another_customer_than_the_payments_differs(
    stored: str | None, told: str | None, found: list[str]
) -> None:
    only = payment(1, PaymentStatus.CREATED, 100, "pi_1").model_copy(update={"customer_id": stored})
    ours = order(item("a", 100), payments=[only])

    assert differences(ours, only, replace(state("succeeded", 100), customer=told)) == found
