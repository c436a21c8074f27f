"""What the page of an order calls the states of its refunds and disputes."""

from server.i18n import N_, gettext

# Stripe's words for refunds and disputes; one that it adds later stands as Stripe writes it.
STRIPE = {
    "requested": N_("asked of Stripe"),
    "refused": N_("refused by Stripe"),
    "pending": N_("pending"),
    "requires_action": N_("needs action"),
    "succeeded": N_("succeeded"),
    "failed": N_("failed"),
    "canceled": N_("canceled"),
    "warning_needs_response": N_("inquiry, needs an answer"),
    "warning_under_review": N_("inquiry under review"),
    "warning_closed": N_("inquiry closed"),
    "needs_response": N_("needs an answer"),
    "under_review": N_("under review"),
    "appeal_needs_response": N_("appeal, needs an answer"),
    "appeal_under_review": N_("appeal under review"),
    "won": N_("won"),
    "lost": N_("lost"),
    "prevented": N_("prevented"),
}


def of_stripe(status: str) -> str:
    return gettext(STRIPE[status]) if status in STRIPE else status
