"""Folding: what is typed and what is stored are compared in one form."""

import unicodedata
from collections.abc import Iterable, Mapping

MAX_WORDS = 8
MAX_TYPED = 200


def fold(text: str) -> str:
    """One spelling for what reads the same: width, composed Hangul, case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(typed: str) -> tuple[str, ...]:
    """The distinct words of a search box, folded; more than a person types are left out."""
    return tuple(dict.fromkeys(fold(typed[:MAX_TYPED]).split()))[:MAX_WORDS]


def search_text(texts: Iterable[Mapping[str, str]]) -> str:
    """Every language of every text: a Korean word is found on an English page too."""
    return fold(" ".join(words for text in texts for words in text.values()))
