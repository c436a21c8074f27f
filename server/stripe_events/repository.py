"""The only SQL on Stripe's events."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from server.database.session import current_session, require_transaction
from server.database.write import insert_once
from server.stripe_events.models import StripeEvent


async def add(event_id: str, kind: str, created_at: datetime, handled_at: datetime) -> bool:
    """False if this event has been handled before."""
    require_transaction()
    return await insert_once(
        StripeEvent, {"id": event_id, "type": kind, "created_at": created_at, "handled_at": handled_at}
    )


async def known(event_ids: Sequence[str]) -> set[str]:
    return set(await current_session().scalars(select(StripeEvent.id).where(StripeEvent.id.in_(event_ids))))
