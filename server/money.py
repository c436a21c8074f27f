"""Money is an integer of minor units *as Stripe counts them* beside an upper-case currency code."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency

from server.currencies import exponent
from server.i18n import current_locale


def to_major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))


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
