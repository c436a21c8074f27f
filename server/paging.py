"""Numbered pages; `?page=` counts from 1."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    items: list[Item]
    total: int
    number: int
    size: int

    @property
    def count(self) -> int:
        return max(1, -(-self.total // self.size))


def offset_of(number: int, size: int) -> int:
    """How many items stand on the pages before."""
    return (number - 1) * size


def page_number(given: str | None) -> int:
    """What `?page=` says, or 1: a page is never an error."""
    if given and given.isascii() and given.isdigit() and len(given) <= 6:
        return max(1, int(given))
    return 1
