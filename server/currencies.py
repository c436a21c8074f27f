"""How Stripe counts and limits amounts in each currency (docs.stripe.com/currencies).

Its table differs from ISO 4217: ISK and UGX count two decimals on the wire although ISO gives them none, so
Babel's exponents must not be used for amounts.
"""

ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])

# Smallest charge in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). Stripe
# applies it after conversion into the account's settlement currency, so 50 won is no safe floor for an
# account settled in dollars. The floors of won and yen, and of the last seven, of which Stripe names none,
# are therefore what half a dollar costs with room to spare.
MINIMUM = {
    "KRW": 1000,
    "JPY": 100,
    **dict.fromkeys(["USD", "EUR", "AUD", "CAD", "CHF", "NZD", "SGD", "BRL", "INR", "ARS", "COP", "IDR"], 50),
    **dict.fromkeys(["ILS", "PHP", "RUB", "ZAR"], 50),
    "GBP": 30,
    **dict.fromkeys(["AED", "MYR", "PLN", "RON"], 200),
    "DKK": 250,
    **dict.fromkeys(["NOK", "SEK"], 300),
    "HKD": 400,
    **dict.fromkeys(["MXN", "THB"], 1000),
    "CZK": 1500,
    "HUF": 17500,
    "ISK": 10_000,
    "UGX": 250_000,
    "BHD": 250,
    "JOD": 450,
    "KWD": 200,
    "OMR": 250,
    "TND": 2000,
}
MAXIMUM = 99_999_999  # eight digits: the limit of the create reference, safe for every method


def exponent(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """What an amount in minor units must be a multiple of, or Stripe refuses to charge it."""
    if currency in ("ISK", "UGX"):
        return 100  # whole units, although two decimals are counted
    return 10 if currency in THREE_DECIMAL else 1
