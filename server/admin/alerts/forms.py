"""What staff answer to a mail in trouble."""

from typing import Literal

from server.web.forms import Form


class MailTroubleForm(Form):
    act: Literal["resend", "drop"]
