"""The test cards: what each number (or its `pm_card_…` id) does."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from .errors import Fault


@dataclass(frozen=True)
class Decline:
    code: str
    decline_code: str
    message: str
    advice: str | None = None
    param: str | None = None
    blocked: bool = False
    """Stopped by fraud rules: the bank was never asked."""


@dataclass(frozen=True)
class Card:
    number: str
    token: str | None = None
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    three_d_secure: Literal["none", "optional", "required", "setup"] = "none"
    """`setup`: unless the payment is made off session; `optional`: only when the merchant asks for it."""
    disputes: tuple[str, ...] = ()
    warned: bool = False
    """The bank sends an early fraud warning."""
    refund: Literal["succeeded", "pending", "fails"] = "succeeded"
    risk: Literal["normal", "elevated", "highest"] = "normal"
    cvc_check: Literal["pass", "fail"] = "pass"
    postal_code_check: Literal["fail"] | None = None
    available_at_once: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        return sha256(self.number.encode()).hexdigest()[:16]


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED, "try_again_later")
FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", "try_again_later")
LOST = Decline("card_declined", "lost_card", _DECLINED, "do_not_try_again")
STOLEN = Decline("card_declined", "stolen_card", _DECLINED, "do_not_try_again")
VELOCITY = Decline("card_declined", "card_velocity_exceeded", _DECLINED, "try_again_later")
BLOCKED = Decline("card_declined", "fraudulent", _DECLINED, "do_not_try_again", blocked=True)
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "confirm_card_data", "exp_month")
CVC = Decline(
    "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "confirm_card_data", "cvc"
)
PROCESSING = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    "try_again_later",
)
AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. It requires authentication.",
)

_CARDS = (
    Card("4242424242424242", "pm_card_visa"),
    Card("5555555555554444", "pm_card_mastercard", brand="mastercard"),
    Card("378282246310005", "pm_card_amex", brand="amex"),
    Card("6011111111111117", "pm_card_discover", brand="discover"),
    Card("3566002020360505", "pm_card_jcb", brand="jcb", country="JP"),
    Card("6200000000000005", "pm_card_unionpay", brand="unionpay", country="CN"),
    Card("3056930009020004", "pm_card_diners", brand="diners"),
    Card("4000056655665556", "pm_card_visa_debit", funding="debit"),
    Card("5105105105105100", "pm_card_mastercard_prepaid", brand="mastercard", funding="prepaid"),
    Card("4000003920000003", "pm_card_jp", country="JP"),
    Card("4000008260000000", "pm_card_gb", country="GB"),
    Card("4000002760000016", "pm_card_de", country="DE"),
    Card("4000000000000002", "pm_card_visa_chargeDeclined", decline=GENERIC),
    Card("4000000000009995", "pm_card_visa_chargeDeclinedInsufficientFunds", decline=FUNDS),
    Card("4000000000009987", "pm_card_visa_chargeDeclinedLostCard", decline=LOST),
    Card("4000000000009979", "pm_card_visa_chargeDeclinedStolenCard", decline=STOLEN),
    Card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", decline=EXPIRED),
    Card("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", decline=CVC, cvc_check="fail"),
    Card("4000000000000119", "pm_card_chargeDeclinedProcessingError", decline=PROCESSING),
    Card("4000000000006975", "pm_card_visa_chargeDeclinedVelocityLimitExceeded", decline=VELOCITY),
    Card("4000000000000341", "pm_card_chargeCustomerFail", decline=GENERIC),
    Card("4100000000000019", "pm_card_radarBlock", decline=BLOCKED, risk="highest"),
    Card("4000000000004954", "pm_card_riskLevelHighest", risk="highest"),
    Card("4000000000009235", "pm_card_riskLevelElevated", risk="elevated"),
    Card("4000000000000101", "pm_card_cvcCheckFail", cvc_check="fail"),
    Card("4000000000000036", "pm_card_avsZipFail", postal_code_check="fail"),
    Card("4000002500003155", "pm_card_authenticationRequiredOnSetup", three_d_secure="setup"),
    Card("4000002760003184", "pm_card_authenticationRequired", country="DE", three_d_secure="required"),
    Card("4000003800000446", "pm_card_authenticationRequiredSetupForOffSession", three_d_secure="setup"),
    Card(
        "4000008260003178",
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        country="GB",
        three_d_secure="required",
        decline=FUNDS,
    ),
    Card("4000000000003220", "pm_card_threeDSecure2Required", three_d_secure="required"),
    Card("4000008400000027", three_d_secure="required"),
    Card(
        "4000008400001629",
        "pm_card_threeDSecureRequiredChargeDeclined",
        three_d_secure="required",
        decline=GENERIC,
    ),
    # The lookup itself fails, so no challenge is ever shown.
    Card("4000008400001280", "pm_card_threeDSecureRequiredProcessingError", decline=GENERIC),
    Card("4000000000003055", "pm_card_threeDSecureOptional", three_d_secure="optional"),
    Card("4000000000003097", "pm_card_threeDSecureOptionalProcessingError"),
    Card("4000000032200000"),
    Card("4000000000000259", "pm_card_createDispute", disputes=("fraudulent",)),
    Card("4000000000002685", "pm_card_createDisputeProductNotReceived", disputes=("product_not_received",)),
    Card("4000000000001976", "pm_card_createDisputeInquiry", disputes=("inquiry",)),
    Card("4000000404000079", "pm_card_createMultipleDisputes", disputes=("fraudulent", "fraudulent")),
    Card("4000000000005423", "pm_card_createIssuerFraudRecord", warned=True),
    Card("4000000000007726", "pm_card_pendingRefund", refund="pending"),
    Card("4000000000005126", "pm_card_refundFail", refund="fails"),
    Card("4000000000000077", "pm_card_bypassPending", available_at_once=True),
)
_BY_NUMBER = {card.number: card for card in _CARDS}
_BY_TOKEN = {card.token: card for card in _CARDS if card.token}
_BRANDS = (
    (r"4", "visa"),
    (r"5[1-5]|2[2-7]", "mastercard"),
    (r"3[47]", "amex"),
    (r"6011|65", "discover"),
    (r"35", "jcb"),
    (r"62", "unionpay"),
    (r"3[068]", "diners"),
)


def by_token(token: str) -> Card | None:
    return _BY_TOKEN.get(token)


def by_number(number: str) -> Card:
    """The card behind a number; a number that is in no list is a good card of its brand."""
    digits = re.sub(r"[ -]", "", number)
    if not passes_luhn(digits):
        raise _refused("incorrect_number", "number", "Your card number is incorrect.")
    if card := _BY_NUMBER.get(digits):
        return card
    brand = next((name for start, name in _BRANDS if re.match(start, digits)), "unknown")
    return Card(digits, brand=brand)


def passes_luhn(digits: str) -> bool:
    if not re.fullmatch(r"[0-9]{12,19}", digits):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def check_expiry(month: int, year: int) -> int:
    """The year in four digits."""
    year += 2000 if year < 100 else 0
    today = datetime.now(UTC)
    if not 1 <= month <= 12:
        raise _refused("invalid_expiry_month", "exp_month", "Your card's expiration month is invalid.")
    if year > today.year + 50 or (year, month) < (today.year, today.month):
        raise _refused("invalid_expiry_year", "exp_year", "Your card's expiration year is invalid.")
    return year


def good_year() -> int:
    """A year in which a made-up card is surely still good."""
    return datetime.now(UTC).year + 8


def check_cvc(cvc: str, brand: str) -> None:
    if not re.fullmatch(r"[0-9]{4}" if brand == "amex" else r"[0-9]{3}", cvc):
        raise _refused("invalid_cvc", "cvc", "Your card's security code is invalid.")


def _refused(code: str, param: str, message: str) -> Fault:
    return Fault(402, message, type_="card_error", code=code, param=param, kept=True)
