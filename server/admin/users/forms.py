"""What staff type into the forms of people and their access."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from server.access.models import GrantReason
from server.accounts import service as accounts
from server.accounts.models import Role
from server.clock import now
from server.i18n import N_
from server.settings import settings
from server.web.forms import Form


def _end_of_day(typed: Any) -> datetime | None:
    """A day of the business's calendar → the moment it ends."""
    if not typed:
        return None
    try:
        day = date.fromisoformat(str(typed))
        end = datetime.combine(day + timedelta(days=1), time(), settings().timezone)
    except (ValueError, OverflowError):
        raise ValueError(N_("Please give a day, like 2027-03-31.")) from None
    if end <= now():
        raise ValueError(N_("This day is over. Please give a later one."))
    return end


GivenByHand = Literal[GrantReason.GIFT, GrantReason.STAFF]


class GrantForm(Form):
    course: str
    reason: GivenByHand
    note: Annotated[str, Field(min_length=1, max_length=500)]
    ends_on: Annotated[datetime | None, BeforeValidator(_end_of_day)] = None


class GrantByEmailForm(GrantForm):
    email: Annotated[str, AfterValidator(accounts.valid_email)]


class RoleForm(Form):
    role: Role
