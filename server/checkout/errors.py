"""What the checkout refuses, each with words for the buyer or the staff who asked."""

from server.errors import PlaybillError, SignInFirst
from server.i18n import N_


class CheckoutError(PlaybillError):
    status = 409

    def __init__(self, order_number: str | None = None) -> None:
        super().__init__(order_number)
        self.order_number = order_number

    @property
    def details(self) -> dict[str, object]:
        return {"order": self.order_number} if self.order_number else {}


class OrderInProgress(CheckoutError):
    code = "order_in_progress"
    message = N_("A payment for this order is under way. This page will show when it is through.")


class OrderAlreadyPaid(CheckoutError):
    code = "order_already_paid"
    message = N_("This order is paid already.")


class AlreadyOwned(CheckoutError):
    code = "already_owned"
    message = N_("You own this course already.")


class WaitsInMail(CheckoutError):
    code = "waits_in_mail"
    message = N_(
        "This course was bought with your e-mail address. Follow the link in the receipt, or in a sign-in "
        "link that you ask for, and it is in your account."
    )


class OrderClaimed(SignInFirst):
    """An account holds by now what this browser bought."""


class NotForSale(CheckoutError):
    status = 422
    code = "currency_not_offered"
    message = N_("This course has no price in that currency. Please reload the page.")


class NothingToRefund(CheckoutError):
    code = "nothing_to_refund"
    message = N_("There is nothing left to refund on this order.")


class RefundRefused(CheckoutError):
    code = "refund_refused"
    message = N_("Stripe refused the refund. A disputed payment, for example, cannot be refunded.")


class RefundUnclear(CheckoutError):
    status = 503
    code = "refund_unclear"
    message = N_("Stripe did not answer, so the refund may be under way. Press again: it is paid back once.")
