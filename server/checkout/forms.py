"""What is posted when *Pay* is pressed."""

from pydantic import field_validator

from server.accounts import service as accounts
from server.web.forms import Form


class PayForm(Form):
    """The currency chooses among the course's prices; the amount never comes from the browser."""

    currency: str
    email: str = ""

    @field_validator("currency")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.upper()


class GuestPayForm(PayForm):
    email: str

    @field_validator("email")
    @classmethod
    def _address(cls, value: str) -> str:
        return accounts.valid_email(value)
