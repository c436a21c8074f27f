"""Which of Stripe's events are done."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from server.database.base import Base
from server.database.types import UtcDateTime


class StripeEvent(Base):
    """An event whose effect is in the database; inserted in the same transaction as that effect."""

    __tablename__ = "stripe_events"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    handled_at: Mapped[datetime] = mapped_column(UtcDateTime)
