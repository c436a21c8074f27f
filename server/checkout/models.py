"""Tables of money: orders, their payments, refunds, disputes, what Stripe told."""

from datetime import datetime

from sqlalchemy import CHAR, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database.base import Base, table_args
from server.database.types import (
    CurrencyCode,
    Id,
    JsonText,
    UtcDateTime,
    email_column,
    enum_column,
)
from server.i18n import N_
from server.labels import Labeled


class OrderStatus(Labeled):
    PENDING = "pending", N_("Waiting for payment")
    PAID = "paid", N_("Paid")
    PARTIALLY_REFUNDED = "partially_refunded", N_("Partly refunded")
    REFUNDED = "refunded", N_("Refunded")
    CANCELED = "canceled", N_("Canceled")


class PaymentStatus(Labeled):
    CREATED = "created", N_("open")
    PROCESSING = "processing", N_("processing")
    SUCCEEDED = "succeeded", N_("succeeded")
    FAILED = "failed", N_("declined")
    CANCELED = "canceled", N_("canceled")


class RefundReason(Labeled):
    """Why money goes back; *stripe*: somebody gave it back there, without us."""

    STAFF = "staff", N_("By staff")
    PAID_TWICE = "paid_twice", N_("Paid twice")
    STRIPE = "stripe", N_("At Stripe")


# A refund that we want and have no answer about yet; every other status is Stripe's word.
REQUESTED = "requested"
# Stripe will not do it.
REFUSED = "refused"


class OrderKey(Base):
    """A guest's browser, and a viewer. The cookie holds a random token; the id is made of its hash."""

    __tablename__ = "order_keys"

    id: Mapped[str] = mapped_column(Id, ForeignKey("viewers.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = table_args(
        UniqueConstraint("number"),
        UniqueConstraint("open_key"),
        Index(None, "created_at", "id"),
        Index(None, "status", "created_at"),
        Index(None, "viewer_id"),
        Index(None, "order_key_id"),
        Index(None, "email_key"),
        Index(None, "ip_mac", "created_at"),
        Index(None, "pressed_key_id"),
        Index(None, "paid_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(16))
    # Whose it is now: the order key's, until the mailed link moves it into an account.
    viewer_id: Mapped[str] = mapped_column(Id, ForeignKey("viewers.id"))
    # The browser that made it, if a guest's; it keeps seeing the receipt after the claim.
    order_key_id: Mapped[str | None] = mapped_column(Id, ForeignKey("order_keys.id"))
    # The browser in which *Pay* was pressed, an account's too. It opens nothing: it tells that two orders are
    # one person's.
    pressed_key_id: Mapped[str | None] = mapped_column(Id, ForeignKey("order_keys.id"))
    email: Mapped[str] = mapped_column(email_column())
    email_key: Mapped[str] = mapped_column(email_column())
    locale: Mapped[str] = mapped_column(String(8))
    # A MAC of the network it was made from, for the brake against card testing.
    ip_mac: Mapped[str] = mapped_column(CHAR(22))
    currency: Mapped[str] = mapped_column(CurrencyCode)
    amount: Mapped[int] = mapped_column(BigInteger)
    # Of the quote that was ordered; empty on orders older than quotes.
    quote_digest: Mapped[str] = mapped_column(String(32))
    status: Mapped[OrderStatus] = mapped_column(enum_column(OrderStatus), default=OrderStatus.PENDING)
    # viewer:courses:currency while pending, else NULL: two tabs cannot make two open orders.
    open_key: Mapped[str | None] = mapped_column(String(64))
    # Counts settlements: a state fetched before another one was applied is fetched again.
    version: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    canceled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    items: Mapped[list["OrderItem"]] = relationship(lazy="raise", order_by="OrderItem.position")
    payments: Mapped[list["Payment"]] = relationship(lazy="raise", order_by="Payment.attempt")
    refunds: Mapped[list["Refund"]] = relationship(lazy="raise", order_by="Refund.created_at")
    disputes: Mapped[list["Dispute"]] = relationship(lazy="raise", order_by="Dispute.created_at")


class OrderItem(Base):
    __tablename__ = "order_items"
    __table_args__ = table_args(Index(None, "order_id", "position"), Index(None, "course_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    order_id: Mapped[str] = mapped_column(Id, ForeignKey("orders.id"))
    course_id: Mapped[str] = mapped_column(Id, ForeignKey("courses.id"))
    position: Mapped[int] = mapped_column(Integer, default=0)
    # As sold: a later change of the course must not rewrite a receipt.
    course_title: Mapped[dict[str, str]] = mapped_column(JsonText)
    course_slug: Mapped[str] = mapped_column(String(120))
    list_amount: Mapped[int] = mapped_column(BigInteger)
    # What is paid for it: the list price less its share of the discount.
    amount: Mapped[int] = mapped_column(BigInteger)
    # The sum of what its refunds gave back.
    refunded_amount: Mapped[int] = mapped_column(BigInteger, default=0)


class Payment(Base):
    """One attempt to pay an order: one PaymentIntent. At most one of an order is open."""

    __tablename__ = "payments"
    __table_args__ = table_args(
        UniqueConstraint("order_id", "attempt"),
        UniqueConstraint("intent_id"),
        Index(None, "status", "next_check_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    order_id: Mapped[str] = mapped_column(Id, ForeignKey("orders.id"))
    # Counts the payments of an order, from 1.
    attempt: Mapped[int] = mapped_column(Integer)
    # Counts the tries to make the intent that Stripe failed to answer: part of the idempotency key.
    tries: Mapped[int] = mapped_column(Integer, default=0)
    intent_id: Mapped[str | None] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CurrencyCode)
    status: Mapped[PaymentStatus] = mapped_column(enum_column(PaymentStatus), default=PaymentStatus.CREATED)
    charge_id: Mapped[str | None] = mapped_column(String(255))
    card_brand: Mapped[str | None] = mapped_column(String(40))
    card_last4: Mapped[str | None] = mapped_column(String(4))
    # Whom Stripe was told to charge; no customers are made yet.
    customer_id: Mapped[str | None] = mapped_column(String(255))
    declines: Mapped[int] = mapped_column(Integer, default=0)
    last_declined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    next_check_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When a waiting page last had Stripe asked.
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When the client secret was handed to a browser: before, nobody can pay.
    secret_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Refund(Base):
    """Wanted here first, then asked of Stripe; or found there."""

    __tablename__ = "refunds"
    __table_args__ = table_args(
        UniqueConstraint("stripe_id"),
        UniqueConstraint("once_key"),
        Index(None, "order_id"),
        Index(None, "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    stripe_id: Mapped[str | None] = mapped_column(String(255))
    order_id: Mapped[str] = mapped_column(Id, ForeignKey("orders.id"))
    payment_id: Mapped[str] = mapped_column(Id, ForeignKey("payments.id"))
    reason: Mapped[RefundReason] = mapped_column(enum_column(RefundReason))
    # What is given back by itself is given back once.
    once_key: Mapped[str | None] = mapped_column(String(80))
    # Counts the tries that Stripe failed to answer: part of the idempotency key.
    tries: Mapped[int] = mapped_column(Integer, default=0)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CurrencyCode)
    status: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    items: Mapped[list["RefundItem"]] = relationship(lazy="raise", order_by="RefundItem.order_item_id")


class RefundItem(Base):
    """How much of a refund belongs to which item of its order. What no row tells, nobody has assigned."""

    __tablename__ = "refund_items"
    __table_args__ = table_args(Index(None, "order_item_id"))

    refund_id: Mapped[str] = mapped_column(Id, ForeignKey("refunds.id"), primary_key=True)
    order_item_id: Mapped[str] = mapped_column(Id, ForeignKey("order_items.id"), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class Dispute(Base):
    __tablename__ = "disputes"
    __table_args__ = table_args(UniqueConstraint("stripe_id"), Index(None, "order_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    stripe_id: Mapped[str] = mapped_column(String(255))
    order_id: Mapped[str] = mapped_column(Id, ForeignKey("orders.id"))
    payment_id: Mapped[str] = mapped_column(Id, ForeignKey("payments.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CurrencyCode)
    status: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
