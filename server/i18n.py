"""Languages: gettext catalogs in `locale/`, texts that exist in several languages, numbers and dates.

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

from server.settings import ROOT, settings

_locale: ContextVar[str] = ContextVar("locale", default="en")


def N_(message: str) -> str:
    return message


@cache
def _catalog(locale: str) -> _stdlib.NullTranslations:
    path = ROOT / "locale" / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return _stdlib.NullTranslations()  # English: the messages are their own translation
    compiled = io.BytesIO()
    with path.open("rb") as source:
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


def negotiate(accept_language: str, offered: list[str]) -> str | None:
    """The first of `offered` that an Accept-Language header asks for, best quality first."""
    wishes = []
    for place, part in enumerate(accept_language.split(",")):
        tag, _, parameters = part.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            quality = 0.0
        if quality > 0:
            wishes.append((-quality, place, tag.split("-")[0].lower()))
    return next((language for _, _, language in sorted(wishes) if language in offered), None)


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
    pattern = "aaaa h:mm" if _locale.get() == "ko" else "h:mm a"
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
