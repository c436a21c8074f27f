"""Code words that are stored, each with the word that pages call it by."""

from enum import StrEnum
from typing import Self


class Labeled(StrEnum):
    """Members are written `PAID = "paid", N_("Paid")`: what is stored, and the message for people.

    A label is translated where it is shown; choices offer the members in the order of their class.
    """

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        # The empty default is for type checkers, to which `Level("beginner")` is this call.
        if not label:
            raise TypeError(f"{cls.__name__}: {value!r} has no label")
        word = str.__new__(cls, value)
        word._value_ = value
        word.label = label
        return word
