"""What is posted when *Pay* is pressed."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from server.accounts import service as accounts
from server.web.forms import Form


class PayForm(Form):
    """The currency chooses among the course's prices; the amount never comes from the browser.

    `digest` names the quote that the page shows: it can only refuse a charge, never change one.
    """

    currency: Annotated[str, StringConstraints(to_upper=True)]
    email: str = ""
    digest: Annotated[str, StringConstraints(max_length=64)] | None = None


class GuestPayForm(PayForm):
    email: Annotated[str, AfterValidator(accounts.valid_email)]
