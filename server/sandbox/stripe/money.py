"""Which amounts Stripe takes, in minor units as Stripe counts them."""

from .errors import Fault

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_HUNDREDS = frozenset({"isk", "ugx"})
"""Written with two decimals although they have none: the amount must end in 00."""

_CODES = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd
cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd
hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad
mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln
pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs
uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_CODES.split())

_MINIMUM = {
    **dict.fromkeys(["usd", "eur", "aud", "cad", "chf", "nzd", "sgd", "brl", "inr", "ars", "cop", "idr"], 50),
    **dict.fromkeys(["ils", "php", "rub", "zar", "jpy", "krw"], 50),
    **dict.fromkeys(["aed", "myr", "pln", "ron"], 200),
    **dict.fromkeys(["nok", "sek"], 300),
    **dict.fromkeys(["mxn", "thb"], 1000),
    "gbp": 30,
    "dkk": 250,
    "hkd": 400,
    "czk": 1500,
    "huf": 17500,
}
_MOST_DIGITS = {"idr": 12, "cop": 10, "inr": 9}

SETTLEMENT_CURRENCY = "usd"
RATES = {"krw": 0.00073, "jpy": 0.0067, "eur": 1.08, "gbp": 1.27}
"""US dollars per unit. The account settles in dollars: a fee's currency need not be the charge's."""


def check_amount(amount: int, currency: str) -> None:
    """`currency` in lower case; a caller may have written it in capitals, as Stripe takes it."""
    if currency not in CURRENCIES:
        raise Fault.parameter(
            "currency", f"Invalid currency: {currency}. Currencies are three-letter ISO codes."
        )
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise Fault.parameter("amount", message, "parameter_invalid_integer")
    most = 10 ** _MOST_DIGITS.get(currency, 8)
    if amount >= most:
        raise Fault.parameter(
            "amount", f"Amount must be no more than {most - 1} {currency}.", "amount_too_large"
        )
    if (currency in WHOLE_HUNDREDS and amount % 100) or (currency in THREE_DECIMAL and amount % 10):
        step = 100 if currency in WHOLE_HUNDREDS else 10
        message = f"Invalid integer: amounts in {currency} must be divisible by {step}."
        raise Fault.parameter("amount", message, "parameter_invalid_integer")
    if amount < _MINIMUM.get(currency, 1) or (currency in RATES and settled(amount, currency)[0] < 50):
        raise Fault.parameter("amount", "Amount must convert to at least 50 cents.", "amount_too_small")


def decimals(currency: str) -> int:
    """How many of an amount's digits stand behind the point."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def settled(amount: int, currency: str) -> tuple[int, str, float | None]:
    """Amount, currency and exchange rate on the merchant's own balance."""
    if currency not in RATES:
        return amount, currency, None
    cents = amount / 10 ** decimals(currency) * RATES[currency] * 100
    return round(cents), SETTLEMENT_CURRENCY, RATES[currency]
