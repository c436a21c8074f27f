"""The quote: what some courses cost one buyer now, line by line. Made here and nowhere else.

The page shows it, the press of *Pay* brings its digest back, the order and its intent keep it: whoever
compares digests knows that nobody is charged another amount than the one that was shown.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from server.catalog import service as catalog
from server.catalog.records import CourseRecord
from server.checkout.errors import NotForSale


@dataclass(frozen=True, slots=True)
class QuoteLine:
    course: CourseRecord
    list_amount: int
    discount: int = 0

    @property
    def amount(self) -> int:
        return self.list_amount - self.discount


@dataclass(frozen=True)
class Quote:
    """Amounts are minor units of `currency`; `tax` is inside `total` and never changes it."""

    lines: tuple[QuoteLine, ...]
    currency: str
    coupon: str | None = None
    tax: int = 0

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def course_ids(self) -> list[str]:
        return [line.course.id for line in self.lines]

    @cached_property
    def digest(self) -> str:
        """128 bits over everything that decides what is paid for what, in whatever order it was chosen."""
        lines = sorted([line.course.id, line.list_amount, line.discount] for line in self.lines)
        told = json.dumps([lines, self.coupon, self.total, self.currency], separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()[:32]


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
