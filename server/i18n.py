"""In the language of the request: gettext catalogs, texts that exist in several languages, numbers and dates.

Catalogs are compiled in memory when the process starts, so there is no build step.
"""

import gettext as _stdlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from server import languages
from server.settings import settings

_locale: ContextVar[str] = ContextVar("locale", default=languages.SOURCE)


def N_(message: str) -> str:
    return message


@cache
def _catalog(locale: str) -> _stdlib.NullTranslations:
    if locale == languages.SOURCE:
        return _stdlib.NullTranslations()  # the messages are their own translation
    compiled = io.BytesIO()
    with languages.catalog_file(locale).open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return _stdlib.GNUTranslations(compiled)


def current_locale() -> str:
    return _locale.get()


def use_locale(locale: str) -> None:
    """Set the language for the rest of this request; every request sets its own."""
    _locale.set(locale)


@contextmanager
def in_locale(locale: str) -> Iterator[None]:
    token = _locale.set(locale)
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(message: str) -> str:
    return _catalog(_locale.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    return _catalog(_locale.get()).ngettext(singular, plural, n)


def language_of(texts: Mapping[str, str]) -> str:
    """In which language `pick` finds the text: the current one, else the first of the site that has one."""
    for locale in (_locale.get(), *settings().locale_list):
        if texts.get(locale):
            return locale
    return next(iter(texts), "")


def pick(texts: Mapping[str, str]) -> str:
    return texts.get(language_of(texts), "")


def first_offered(*wishes: str | None) -> str:
    """The first of these languages that the site offers, else its own first."""
    offered = settings().locale_list
    return next((wish for wish in wishes if wish in offered), offered[0])


def _babel() -> Locale:
    return Locale.parse(_locale.get())


def _zone(value: datetime) -> datetime:
    zone: ZoneInfo = settings().timezone
    return value.astimezone(zone)


def format_day(value: datetime) -> str:
    return format_date(_zone(value).date(), format="long", locale=_babel())


def format_moment(value: datetime) -> str:
    local = _zone(value)
    day = format_date(local.date(), format="medium", locale=_babel())
    # The short Korean form of "a" is AM or PM; people there say 오전 and 오후, the wide one.
    pattern = _babel().time_formats["short"].pattern.replace("a", "aaaa").replace("\u202f", " ")
    return f"{day} {format_time(local.time(), format=pattern, locale=_babel())}"


def format_minutes(seconds: int) -> str:
    """A length as people say it; a clip under a minute is told in seconds."""
    if seconds < 60:
        return gettext("{n} sec").format(n=seconds)
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return gettext("{n} min").format(n=minutes)
    if not minutes:
        return gettext("{n} h").format(n=hours)
    return gettext("{h} h {m} min").format(h=hours, m=minutes)


def format_clock(seconds: int) -> str:
    """A position in a video: 12:30, 1:02:03."""
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
