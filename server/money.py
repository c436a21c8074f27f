"""Money is an integer of minor units *as Stripe counts them* beside an upper-case currency code.

Stripe's table differs from ISO 4217: ISK and UGX count two decimals on the wire although ISO gives
them none (docs.stripe.com/currencies), so Babel's exponents must not be used for amounts.
"""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency

from server.i18n import current_locale

ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])

# Smallest charge in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). Stripe
# applies it after conversion into the account's settlement currency, so 50 won is no safe floor for an
# account settled in dollars; the won and yen floors below are what half a dollar costs with room to spare.
MINIMUM = {
    "KRW": 1000,
    "JPY": 100,
    "USD": 50,
    "EUR": 50,
    "AUD": 50,
    "CAD": 50,
    "CHF": 50,
    "NZD": 50,
    "SGD": 50,
    "GBP": 30,
    "HKD": 400,
    "THB": 1000,
    "MYR": 200,
}
MAXIMUM = 99_999_999  # eight digits: the limit of the create reference, safe for every method


def exponent(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))


def minimum(currency: str) -> int:
    """The smallest price in minor units; half a unit of a currency that the table does not name."""
    return MINIMUM.get(currency, max(step(currency), {0: 1, 2: 50, 3: 500}[exponent(currency)]))


def step(currency: str) -> int:
    """What an amount in minor units must be a multiple of, or Stripe refuses to charge it."""
    if currency in ("ISK", "UGX"):
        return 100  # whole units, although two decimals are counted
    return 10 if currency in THREE_DECIMAL else 1


def format_money(amount: int, currency: str) -> str:
    """33000 KRW → ₩33,000; 3300 USD → $33.00, written as people of the current language write it."""
    return _written(amount, currency, current_locale())


@lru_cache(maxsize=2000)  # a page of cards is full of prices, and there are few different ones
def _written(amount: int, currency: str, locale: str) -> str:
    digits = exponent(currency)
    pattern = "¤#,##0" + ("." + "0" * digits if digits else "")
    return format_currency(
        to_major(amount, currency), currency, pattern, locale=locale, currency_digits=False
    )
