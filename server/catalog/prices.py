"""What a course may cost."""

from server.catalog.errors import CurrencyNotOffered, PriceTooHigh, PriceTooLow, PriceUneven
from server.currencies import MAXIMUM, MINIMUM, step


def check_price(currency: str, amount: int) -> None:
    """Raises what Stripe would refuse: CurrencyNotOffered, PriceTooLow, PriceTooHigh, PriceUneven."""
    if currency not in MINIMUM:
        raise CurrencyNotOffered(currency)
    if amount < MINIMUM[currency]:
        raise PriceTooLow(currency)
    if amount > MAXIMUM:
        raise PriceTooHigh(currency)
    if amount % step(currency):
        raise PriceUneven(currency)
