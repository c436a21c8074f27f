"""What orders are told as, and the quotes that they are made of."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from server.catalog.records import CourseRecord
from server.checkout.models import REFUSED, REQUESTED, OrderStatus, PaymentStatus, RefundReason
from server.database.records import Record
from server.integrations.stripe_facts import DISPUTE_LOST, DISPUTE_OPEN, REFUND_ENDED


@dataclass(frozen=True, slots=True)
class QuoteLine:
    course: CourseRecord
    list_amount: int
    discount: int = 0

    @property
    def amount(self) -> int:
        return self.list_amount - self.discount


@dataclass(frozen=True)
class Quote:
    """Amounts are minor units of `currency`; `tax` is inside `total` and never changes it."""

    lines: tuple[QuoteLine, ...]
    currency: str
    coupon: str | None = None
    tax: int = 0

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def course_ids(self) -> list[str]:
        return [line.course.id for line in self.lines]

    @cached_property
    def digest(self) -> str:
        """128 bits over everything that decides what is paid for what, in whatever order it was chosen."""
        lines = sorted([line.course.id, line.list_amount, line.discount] for line in self.lines)
        told = json.dumps([lines, self.coupon, self.total, self.currency], separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()[:32]


# Of a refund: wanted only, refused, failed or canceled.
NOT_GIVEN_BACK = frozenset({REQUESTED, REFUSED, *REFUND_ENDED})


class OrderItemRecord(Record):
    id: str
    course_id: str
    course_title: dict[str, str]
    course_slug: str
    list_amount: int
    amount: int
    refunded_amount: int

    @property
    def is_refunded(self) -> bool:
        """All of it went back. What cost nothing cannot: it counts as bought."""
        return 0 < self.amount <= self.refunded_amount


class PaymentRecord(Record):
    id: str
    order_id: str
    attempt: int
    tries: int
    intent_id: str | None
    amount: int
    currency: str
    status: PaymentStatus
    charge_id: str | None
    card_brand: str | None
    card_last4: str | None
    customer_id: str | None
    declines: int
    last_declined_at: datetime | None
    checks: int
    looked_at: datetime
    secret_out_at: datetime | None
    created_at: datetime
    succeeded_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.status not in (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED)


class RefundItemRecord(Record):
    order_item_id: str
    amount: int


class RefundRecord(Record):
    id: str
    stripe_id: str | None
    order_id: str
    payment_id: str
    reason: RefundReason
    tries: int
    amount: int
    currency: str
    status: str
    created_at: datetime
    items: list[RefundItemRecord]

    @property
    def counts(self) -> bool:
        """Whether the money is back or on its way; a refund can fail after it succeeded."""
        return self.status not in NOT_GIVEN_BACK

    @property
    def is_requested(self) -> bool:
        return self.status == REQUESTED


class DisputeRecord(Record):
    stripe_id: str
    payment_id: str
    amount: int
    currency: str
    status: str
    reason: str
    created_at: datetime

    @property
    def suspends(self) -> bool:
        return self.status in DISPUTE_OPEN

    @property
    def is_lost(self) -> bool:
        return self.status == DISPUTE_LOST


class OrderRecord(Record):
    id: str
    number: str
    viewer_id: str
    order_key_id: str | None
    pressed_key_id: str | None
    email: str
    email_key: str
    locale: str
    ip_mac: str
    currency: str
    amount: int
    quote_digest: str
    status: OrderStatus
    version: int
    created_at: datetime
    paid_at: datetime | None
    canceled_at: datetime | None
    items: list[OrderItemRecord]
    payments: list[PaymentRecord]
    refunds: list[RefundRecord]
    disputes: list[DisputeRecord]

    @property
    def is_guests(self) -> bool:
        """Still in the hands of the browser that made it: not claimed into an account."""
        return self.viewer_id == self.order_key_id

    @property
    def open_payment(self) -> PaymentRecord | None:
        """The one attempt that can still be paid, if there is one."""
        return next((one for one in self.payments if one.is_open), None)

    @property
    def paid_payment(self) -> PaymentRecord | None:
        """The attempt that paid; should a second one succeed, still the first."""
        paid = [(one.succeeded_at, one.attempt, one) for one in self.payments if one.succeeded_at]
        return min(paid)[2] if paid else None

    @property
    def refunded_amount(self) -> int:
        return sum(item.refunded_amount for item in self.items)

    @property
    def given_back(self) -> int:
        """Of what paid the order: what is back or on its way, of whichever item."""
        return sum(one.amount for one in self._refunds_of_paying if one.counts)

    @property
    def asked_back(self) -> int:
        """Of what paid the order: what is wanted back and has no answer of Stripe yet."""
        return sum(one.amount for one in self._refunds_of_paying if one.is_requested)

    @property
    def _refunds_of_paying(self) -> list[RefundRecord]:
        payment = self.paid_payment
        return [one for one in self.refunds if payment is not None and one.payment_id == payment.id]

    @property
    def is_paid(self) -> bool:
        return self.status in (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)

    @property
    def is_pending(self) -> bool:
        return self.status is OrderStatus.PENDING

    @property
    def waits_for_money(self) -> bool:
        """Something can still be paid. A pending order without an open payment waits for a press of *Pay*."""
        return self.is_pending and self.open_payment is not None

    @property
    def course_ids(self) -> list[str]:
        return [item.course_id for item in self.items]

    @property
    def watch_path(self) -> str:
        """Where what was bought is watched: its one course, or the shelf."""
        one, *more = self.items
        return "/learn" if more else f"/learn/{one.course_slug}"

    @property
    def card_brand(self) -> str | None:
        return self.paid_payment.card_brand if self.paid_payment else None

    @property
    def card_last4(self) -> str | None:
        return self.paid_payment.card_last4 if self.paid_payment else None
