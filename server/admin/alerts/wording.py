"""Alerts and mails in trouble, told in words."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.alerts.models import AlertKind
from server.alerts.records import AlertRecord
from server.i18n import N_, gettext
from server.mail.models import MailState
from server.mail.records import MailRecord
from server.money import format_money

ALERTS = {
    AlertKind.AMOUNT_DIFFERS: N_(
        "Stripe reports {amount} for payment {intent}, and that differs from the order ({differs}). "
        "No access was given."
    ),
    AlertKind.NOT_SETTLED: N_(
        "Stripe told of payment {intent} ({type}), and it could not be settled here ({reason}). "
        "Look it up at Stripe: somebody may have paid and not got in."
    ),
    AlertKind.BOUGHT_TWICE: N_("{email} paid for a course that they already had. Refund one of the two."),
    AlertKind.PAID_TWICE: N_(
        "The buyer paid twice for the same course: {amount} of this order goes back by itself."
    ),
    AlertKind.DISPUTE_OPENED: N_(
        "The buyer's bank disputes {amount} ({reason}). Answer at Stripe; access is suspended meanwhile."
    ),
    AlertKind.REFUND_FAILED: N_("The refund of {amount} failed at the bank. Pay it back in another way."),
    AlertKind.REFUND_UNASSIGNED: N_(
        "{amount} was refunded at Stripe, which names no course. Decide which access ends, and close it."
    ),
    AlertKind.FRAUD_WARNING: N_(
        "The buyer's bank warns that this payment of {amount} may be fraud ({reason}). "
        "If it is, refund it now: that spares you a dispute."
    ),
    AlertKind.MAIL_STUCK: N_(
        "Mails have waited for over an hour: the mail server takes none ({reason}). They go out once it does."
    ),
}
DIFFERENCES = {
    "order": N_("order"),
    "amount": N_("amount"),
    "currency": N_("currency"),
    "customer": N_("customer"),
    "quote": N_("quote"),
}
MAIL_TROUBLES = {
    MailState.UNCERTAIN: N_(
        "The mail “{subject}” to {recipient} may have gone out, or not: the connection broke."
    ),
    MailState.FAILED: N_("The mail “{subject}” to {recipient} was not accepted."),
}
# By the beginning of what the mail server said (RFC 5321, section 4.2.3; RFC 3463 for 5.7), or the library.
MAIL_REASONS = (
    (r"53\d ", N_("The mail server does not let us log in.")),
    (r"5\d\d 5\.7\.", N_("The mail server refuses its content.")),
    (r"55[0136] |the address ", N_("The mail server refuses this address.")),
    (r"5\d\d ", N_("The mail server refuses its content.")),
    (r"4\d\d ", N_("The mail server put it off at every try.")),
    (r"\w+: ", N_("The mail server could not be reached.")),
)


@dataclass(frozen=True, slots=True)
class Told:
    """An alert or a mail in trouble, in words, with the path that deals with it."""

    created_at: datetime
    message: str
    order_number: str | None
    action: str
    is_mail: bool
    detail: str = ""  # what a machine said, in English


def of_alert(alert: AlertRecord) -> Told:
    facts: dict[str, Any] = dict(alert.facts)
    if "amount" in facts and "currency" in facts:
        facts["amount"] = format_money(facts["amount"], facts["currency"])
    if "differs" in facts:
        facts["differs"] = ", ".join(gettext(DIFFERENCES.get(name, name)) for name in facts["differs"])
    message = gettext(ALERTS[alert.kind]).format(**facts)
    return Told(alert.created_at, message, alert.order_number, f"/admin/alerts/{alert.id}/resolve", False)


def of_mail(mail: MailRecord) -> Told:
    message = gettext(MAIL_TROUBLES[mail.state]).format(subject=mail.subject, recipient=mail.recipient)
    if mail.state is MailState.FAILED:
        message = f"{message} {_why(mail.last_error)}".rstrip()
    return Told(
        mail.created_at, message, None, f"/admin/alerts/mails/{mail.id}", True, detail=mail.last_error
    )


def _why(error: str) -> str:
    return next((gettext(reason) for told, reason in MAIL_REASONS if re.match(told, error)), "")
