"""What the checkout refuses, each with words for the buyer or the staff who asked."""

from server.errors import PlaybillError, SignInFirst
from server.i18n import N_
from server.money import format_money


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


class BoughtAndClaimed(OrderAlreadyPaid):
    """This browser bought it, and an account holds it now: perhaps another person's."""

    message = N_("You bought this. It is in your account now: sign in to watch it.")


class UnderDispute(CheckoutError):
    """What is paid is not sold again, also while nobody knows whose the money is."""

    code = "payment_disputed"
    message = N_(
        "You bought this, and your bank is looking into the payment. It opens again, or you can buy it "
        "again, once your bank has decided. Write to us if you know nothing of this."
    )


class AlreadyOwned(CheckoutError):
    code = "already_owned"
    message = N_("You own this course already.")


class WaitsInMail(CheckoutError):
    code = "waits_in_mail"
    message = N_(
        "This course was bought with your e-mail address. Follow the link in the receipt, or in a sign-in "
        "link that you ask for, and it is in your account."
    )


class QuoteChanged(CheckoutError):
    """The page shows another total than is asked for now; nobody is charged before it shows this one."""

    code = "quote_changed"
    message = N_("The price has changed. Look at the new total, and press again if you agree.")

    def __init__(self, total: int, currency: str, digest: str) -> None:
        super().__init__()
        self._told = {"total": total, "currency": currency, "digest": digest}
        self._total = (total, currency)

    @property
    def details(self) -> dict[str, object]:
        return {**self._told, "total_text": format_money(*self._total)}


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
