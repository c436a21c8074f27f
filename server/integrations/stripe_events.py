"""What Stripe tells by itself: an event, read with suspicion though its signature is good.

Only ids are taken from it; what they name is fetched again (see settlement.py).
"""

import json
import logging
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from server.errors import PlaybillError
from server.i18n import N_
from server.integrations.stripe_facts import OURS, EventFact

# Created in this century: what lies beyond is no time of Stripe's, and may be none of the database's either.
FIRST_MOMENT, LAST_MOMENT = 946_684_800, 4_102_444_800
LONGEST_WORD = 255

log = logging.getLogger("playbill.stripe")


class WebhookRejected(PlaybillError):
    """The signature is missing, wrong or too old, or the body is no event."""

    code = "bad_signature"
    message = N_("The request could not be verified.")


def _printable(word: str) -> str:
    if not word.isprintable():
        raise ValueError("not printable")
    return word


# Such a word goes into the database and into the log.
Word = Annotated[str, Field(strict=True, min_length=1, max_length=LONGEST_WORD), AfterValidator(_printable)]


class _Named(BaseModel):
    id: Word


class _Thing(BaseModel):
    id: Word | None = None
    object: Word | None = None
    payment_intent: Word | _Named | None = None  # expanded, where somebody asked for that
    metadata: dict[str, Any] | None = None


class _Data(BaseModel):
    object: _Thing


class _Event(BaseModel):
    id: Word
    type: Word
    created: Annotated[int, Field(strict=True, ge=FIRST_MOMENT, lt=LAST_MOMENT)]
    livemode: Annotated[bool, Field(strict=True)]
    data: _Data


def read(told: Any) -> EventFact:
    """Raises WebhookRejected, with one line in the log, for what is no event of Stripe's.

    An absurd value would otherwise fail further on, as an error of ours, at every delivery for three days.
    """
    try:
        event = _Event.model_validate(told)
    except ValidationError as error:
        places = sorted({".".join(map(str, detail["loc"][:3])) or "body" for detail in error.errors()})
        log.warning("a signed event makes no sense: %s", ", ".join(places))
        raise WebhookRejected from error
    thing = event.data.object
    intent = thing.id if thing.object == "payment_intent" else thing.payment_intent
    return EventFact(
        id=event.id,
        type=event.type,
        created=event.created,
        livemode=event.livemode,
        intent_id=intent.id if isinstance(intent, _Named) else intent,
        is_marked_ours=(thing.metadata or {}).get("app") == OURS,
        object_id=thing.id,
    )


def read_body(body: bytes) -> EventFact:
    """Of a body whose signature is good; raises WebhookRejected."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        log.warning("a signed event cannot be read: %s", type(error).__name__)
        raise WebhookRejected from error
    return read(told)
