"""What orders are told as."""

from datetime import datetime

from server.checkout.models import OrderStatus, PaymentStatus
from server.database.records import Record


class OrderItemRecord(Record):
    id: str
    course_id: str
    course_title: dict[str, str]
    course_slug: str
    amount: int
    refunded_amount: int


class PaymentRecord(Record):
    id: str
    order_id: str
    attempt: int
    intent_id: str | None
    amount: int
    currency: str
    status: PaymentStatus
    charge_id: str | None
    card_brand: str | None
    card_last4: str | None
    declines: int
    checks: int
    created_at: datetime
    updated_at: datetime


class RefundRecord(Record):
    stripe_id: str
    amount: int
    currency: str
    status: str
    created_at: datetime


class DisputeRecord(Record):
    stripe_id: str
    amount: int
    currency: str
    status: str
    reason: str
    created_at: datetime


class OrderRecord(Record):
    id: str
    number: str
    viewer_id: str
    order_key_id: str | None
    email: str
    email_key: str
    locale: str
    ip_mac: str
    currency: str
    amount: int
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
    def payment(self) -> PaymentRecord:
        """The newest attempt."""
        return self.payments[-1]

    @property
    def paid_payment(self) -> PaymentRecord | None:
        return next((one for one in self.payments if one.status is PaymentStatus.SUCCEEDED), None)

    @property
    def refunded_amount(self) -> int:
        return sum(item.refunded_amount for item in self.items)

    @property
    def is_paid(self) -> bool:
        return self.status in (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)

    @property
    def card_brand(self) -> str | None:
        return self.paid_payment.card_brand if self.paid_payment else None

    @property
    def card_last4(self) -> str | None:
        return self.paid_payment.card_last4 if self.paid_payment else None
