"""What is posted when *Pay* is pressed."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from server.accounts import service as accounts
from server.web.forms import Form


class PayForm(Form):
    """The currency chooses among the course's prices; the amount never comes from the browser."""

    currency: Annotated[str, StringConstraints(to_upper=True)]
    email: str = ""


class GuestPayForm(PayForm):
    email: Annotated[str, AfterValidator(accounts.valid_email)]
