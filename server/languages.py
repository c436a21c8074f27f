"""Which languages the pages are written in, and what else follows from a language.

The one place that names any. Messages stand in the code in English; every other language is a folder of
`locale/`, which `LOCALES` then offers.
"""

from functools import cache
from pathlib import Path

from babel import Locale
from babel.core import get_global

FOLDER = Path(__file__).resolve().parent.parent / "locale"
SOURCE = "en"

# Who wishes for one of these pays in its currency, also where the site does not speak it; everybody else
# pays in dollars.
CURRENCIES = {"ko": "KRW", "ja": "JPY"}
CURRENCY_ELSEWHERE = "USD"


def catalog_file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def written() -> set[str]:
    """Every language that there are texts in."""
    return {SOURCE, *(path.name for path in FOLDER.iterdir() if catalog_file(path.name).is_file())}


@cache
def own_name(language: str) -> str:
    """한국어, English: what a language is called by who speaks it."""
    name = Locale.parse(language).get_display_name(language) or language
    return name[:1].upper() + name[1:]


@cache
def is_latin(language: str) -> bool:
    """Whether it is written in the letters of our display face."""
    return "_Latn_" in get_global("likely_subtags").get(language, "")


def wished(accept_language: str) -> list[str]:
    """The languages of an Accept-Language header, best quality first, without their regions."""
    wishes = []
    for place, part in enumerate(accept_language.split(",")):
        tag, _, parameters = part.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            quality = 0.0
        if tag and quality > 0:
            wishes.append((-quality, place, tag.split("-")[0].lower()))
    return [language for _, _, language in sorted(wishes)]
