"""Pages: our own synchronous Jinja environment (sanic-ext's async one renders slower)."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup
from sanic import HTTPResponse, Request
from sanic import response as sanic_response

from server import jinja, languages
from server.business import business
from server.i18n import current_locale, gettext, in_locale, language_of, ngettext, pick
from server.labels import Labeled
from server.settings import ROOT, settings
from server.web import flash
from server.web.csrf import CsrfToken
from server.web.security import Sources, policy

STATIC = ROOT / "static"


@cache
def static(path: str) -> str:
    """Address of a static file with its content's digest, so that it may be cached for ever."""
    file = STATIC / path
    if not file.is_file():
        raise FileNotFoundError(f"static/{path}")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    return f"/static/{quote(path)}?v={digest}"


def is_current_static(request: Request) -> bool:
    """Whether a static file is asked for by its present digest: only then may it be kept for ever."""
    if not request.path.startswith("/static/") or not request.query_string:
        return False
    path = request.path.removeprefix("/static/")
    return f"{request.path}?{request.query_string}" == static(path)


@cache  # a program of lectures has one a line
def icon(name: str) -> Markup:
    """A drawing of `static/img/icons.svg`; it stands beside or instead of a word that says the same."""
    drawing = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>')
    return drawing.format(static("img/icons.svg"), name)


# What the functions of Jinja's i18n extension do in its new style ("%(name)s" is filled in, escaped), at a
# third of their cost: a page has some fifty sentences, and most of them are always the same.


def translate(message: str, **values: object) -> Markup:
    return _sentence(message, current_locale()) % values if values else _plain(message, current_locale())


def translate_counted(singular: str, plural: str, num: int, **values: object) -> Markup:
    return _trusted(ngettext(singular, plural, num)) % {"num": num, **values}


@cache
def _plain(message: str, locale: str) -> Markup:
    return _sentence(message, locale) % {}


@cache
def _sentence(message: str, locale: str) -> Markup:
    with in_locale(locale):
        return _trusted(gettext(message))


def _trusted(sentence: str) -> Markup:
    return Markup(sentence)  # noqa: S704 - ours, from a template or its translation


def in_its_language(texts: Mapping[str, str]) -> str:
    """For the body of a page: a text that stands in for another language says in which one it is."""
    language = language_of(texts)
    return _marked(texts.get(language, ""), language)


def paragraphs(texts: Mapping[str, str]) -> list[str]:
    language = language_of(texts)
    return [_marked(part, language) for part in texts.get(language, "").split("\n\n")]


def _marked(text: str, language: str) -> str:
    if not text or language == current_locale():
        return text
    return Markup('<span lang="{}">{}</span>').format(language, text)


def options(words: Iterable[Labeled]) -> list[tuple[str, str]]:
    """Code words as a choice offers them."""
    return [(word.value, translate(word.label)) for word in words]


def query_with(query: Mapping[str, str], name: str, value: object) -> str:
    """The query string of a list with one filter changed; an empty value drops the filter."""
    rest: dict[str, object] = {key: kept for key, kept in query.items() if key != name}
    return "?" + urlencode(rest | {name: value} if value else rest)


@cache
def environment() -> jinja2.Environment:
    made = jinja.environment()
    made.filters.update(
        tr=in_its_language,
        plain=pick,  # for attributes and titles, which hold no elements
        paragraphs=paragraphs,
        options=options,
    )
    made.globals.update(
        _=translate,
        ngettext=translate_counted,
        static=static,
        icon=icon,
        language_name=languages.own_name,
        is_latin=languages.is_latin,
        query_with=query_with,
    )
    return made


def render(template: str, **context: Any) -> str:
    return environment().get_template(template).render(context)


def page(
    template: str,
    *,
    status: int = 200,
    sources: Sources | None = None,
    request: Request | None = None,
    **context: Any,
) -> HTTPResponse:
    """Render a page for the current request; `sources` widens its Content-Security-Policy."""
    request = request or Request.get_current()
    token = CsrfToken(request)
    notice = flash.Notice(request)
    html = render(
        template,
        csrf_token=token,
        locale=current_locale(),
        business=business(),
        public_url=settings().public_url,
        currency=request.ctx.currency,
        currencies=settings().currency_list,
        languages=[(code, languages.own_name(code)) for code in settings().locale_list],
        me=request.ctx.account,
        path=request.path,
        here=request.path + (f"?{request.query_string}" if request.query_string else ""),
        flash=notice,
        **context,
    )
    response = sanic_response.html(html, status=status)
    token.settle(response)
    notice.settle(response)
    if sources:
        response.headers["Content-Security-Policy"] = policy(sources)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["Vary"] = "Cookie, Accept-Language"
    return response


def redirect(path: str, *, notice: str | None = None) -> HTTPResponse:
    """303 to a path of ours: the next request is a GET whatever this one was."""
    response = sanic_response.redirect(path, status=303)
    if notice:
        flash.put(response, notice)
    return response


def own_path(given: str | None, otherwise: str = "/") -> str:
    """`given` if it is a path of this site, else `otherwise`: a `next` must not lead away."""
    if given and given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable():
        return given
    return otherwise
