"""Which ways to pay the account has, and which of them an intent takes and a card form offers.

Only cards can be paid with here. The others are enabled in the account so that a shop which does not say
what it wants gets what it would get at Stripe: methods that leave the page.
"""

from .errors import Fault, Json
from .money import CURRENCIES

CARD = "card"
REDIRECTING = {
    "kakao_pay": frozenset({"krw"}),
    "klarna": frozenset({"usd", "eur", "gbp", "aud", "cad", "chf", "nzd"}),
    "paypay": frozenset({"jpy"}),
}
"""Methods that leave the page, and the currencies that they take."""
ENABLED = {CARD: CURRENCIES, "link": CURRENCIES, **REDIRECTING}


def offered(
    currency: str,
    *,
    allowed: list[str] | None = None,
    excluded: list[str] | None = None,
    redirects: bool = True,
) -> list[str]:
    """What the account has for this currency, of what was allowed: the others are left out without a word."""
    return [
        name
        for name, currencies in ENABLED.items()
        if currency in currencies
        and (allowed is None or name in allowed)
        and name not in (excluded or ())
        and (redirects or name not in REDIRECTING)
    ]


def of_intent(intent: Json) -> list[str]:
    """What an intent takes, from what it was made with."""
    allowed = intent["allowed_payment_method_types"]
    automatic = intent["automatic_payment_methods"]
    if allowed is None and automatic is None:
        return [CARD]
    redirects = automatic is None or automatic["allow_redirects"] == "always"
    excluded = intent["excluded_payment_method_types"]
    return offered(intent["currency"], allowed=allowed, excluded=excluded, redirects=redirects)


def check_form(intent: Json, form: Json) -> None:
    """Raise Stripe's 400 where a form that was opened before its intent was made differs from it.

    Seen for currencies and methods in antiwork/gumroad, pull requests 6497 and 6755. There Stripe was also
    seen to take an intent with more methods than its form; a shop should not rely on that.
    """
    form_types = offered(
        form["currency"],
        allowed=form.get("allowed_payment_method_types"),
        excluded=form.get("excluded_payment_method_types"),
    )
    expected = {**form, "payment_method_types": form_types}
    for name in ("amount", "currency", "payment_method_types"):
        if intent[name] != expected[name]:
            raise Fault(
                400,
                f"The provided {name} ({_told(intent[name])}) does not match the expected {name}"
                f" ({_told(expected[name])}). Try confirming with a Payment Intent that is configured to use"
                " the same parameters as Stripe Elements.",
                kept=True,
                payment_intent=intent,
            )


def refuse(intent: Json, method: str) -> Fault:
    """Why an intent is not paid with this method, which is no card."""
    types = intent["payment_method_types"]
    if method in types:
        return Fault.unsupported("payment_method_data[type]", f"payments with {method}")
    message = (
        f"The PaymentMethod provided ({method}) is not allowed for this PaymentIntent. Please attach a"
        f" PaymentMethod with one of the following types: {', '.join(types)}."
    )
    return Fault(400, message, kept=True, payment_intent=intent)


def _told(value: object) -> str:
    return "[" + ", ".join(f'"{one}"' for one in value) + "]" if isinstance(value, list) else str(value)
