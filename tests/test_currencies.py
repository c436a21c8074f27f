"""The table of smallest charges against Stripe's own (docs.stripe.com/currencies), in whole units."""

from decimal import Decimal

import pytest

from server.currencies import MINIMUM, exponent, step

STRIPE = """
0.50 USD EUR AUD CAD CHF NZD SGD BRL INR ARS COP IDR ILS PHP RUB ZAR
0.30 GBP
2.00 AED MYR PLN RON
2.50 DKK
3.00 NOK SEK
4.00 HKD
10 MXN THB
15 CZK
175 HUF
"""
LISTED = {
    code: Decimal(amount) for amount, *codes in map(str.split, STRIPE.split("\n")[1:-1]) for code in codes
}
# Of these Stripe names no smallest charge, or one that only holds for an account settled in them.
OURS = {"KRW", "JPY", "ISK", "UGX", "BHD", "JOD", "KWD", "OMR", "TND"}


@pytest.mark.parametrize("currency", LISTED)
def test_a_smallest_charge_is_stripes(currency: str) -> None:
    assert Decimal(MINIMUM[currency]).scaleb(-exponent(currency)) == LISTED[currency]


def test_every_smallest_charge_can_be_charged() -> None:
    assert MINIMUM.keys() == LISTED.keys() | OURS
    assert all(amount % step(currency) == 0 for currency, amount in MINIMUM.items())
    assert MINIMUM["KRW"] >= 50
    assert MINIMUM["JPY"] >= 50
