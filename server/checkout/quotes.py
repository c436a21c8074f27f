"""The quote: what some courses cost one buyer now, line by line. Made here and nowhere else.

The page shows it, the press of *Pay* brings its digest back, the order and its intent keep it: whoever
compares digests knows that nobody is charged another amount than the one that was shown.
"""

from collections.abc import Sequence

from server.catalog import service as catalog
from server.checkout.errors import NotForSale
from server.checkout.records import Quote, QuoteLine


async def quote(slugs: Sequence[str], currency: str) -> Quote:
    """Of the prices in the database now: an act asks inside its own transaction.

    Raises NotForSale where a course has no price in this currency, NotFound where it is not sold at all.
    """
    courses = [await catalog.course_for_sale(slug) for slug in dict.fromkeys(slugs)]
    lines = []
    for course in courses:
        price = catalog.price_in(course, currency)
        if price is None or price.currency != currency:
            raise NotForSale
        lines.append(QuoteLine(course, price.amount))
    return Quote(tuple(lines), currency)
