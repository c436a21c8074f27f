"""What is posted to the pages around signing in."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from server.accounts.addresses import valid_email
from server.accounts.passwords import MAX_LENGTH
from server.i18n import N_
from server.settings import settings
from server.web.forms import Form

Email = Annotated[str, StringConstraints(min_length=1), AfterValidator(valid_email)]
Name = Annotated[str, StringConstraints(max_length=100)]
# Blanks at the ends belong to a password.
Password = Annotated[str, StringConstraints(strip_whitespace=False, max_length=MAX_LENGTH)]


def _offered(locale: str) -> str:
    if locale not in settings().locale_list:
        raise ValueError(N_("Please choose one of the given options."))
    return locale


class LinkForm(Form):
    email: Email
    next: str = ""


class SignInForm(Form):
    # Not judged here: whatever is typed, the answer is the same sentence.
    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[Password, Field(min_length=1)]
    next: str = ""


class ProfileForm(Form):
    name: Name = ""
    locale: Annotated[str, AfterValidator(_offered)]


class PasswordForm(Form):
    name: Name = ""
    present: Password = ""
    password: Password
    next: str = ""
