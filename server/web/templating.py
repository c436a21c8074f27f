"""Pages: our own synchronous Jinja environment (sanic-ext's async one renders slower)."""

import hashlib
from functools import cache
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup
from sanic import HTTPResponse, Request
from sanic import response as sanic_response

from server.business import Business
from server.i18n import (
    current_locale,
    format_clock,
    format_day,
    format_minutes,
    format_moment,
    gettext,
    in_locale,
    ngettext,
    pick,
)
from server.money import format_money
from server.settings import ROOT, settings
from server.web import cookies, flash
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


@cache
def environment() -> jinja2.Environment:
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    jinja.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    jinja.filters["tr"] = pick
    jinja.globals.update(
        _=translate,
        ngettext=translate_counted,
        static=static,
        money=format_money,
        dt=format_moment,
        day=format_day,
        minutes=format_minutes,
        clock=format_clock,
        business=Business(),
    )
    return jinja


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
    notice = flash.read(request)
    html = render(
        template,
        csrf_token=token,
        locale=current_locale(),
        currency=request.ctx.currency,
        currencies=settings().currency_list,
        locales=settings().locale_list,
        me=request.ctx.account,
        path=request.path,
        here=request.path + (f"?{request.query_string}" if request.query_string else ""),
        flash=notice,
        **context,
    )
    response = sanic_response.html(html, status=status)
    token.settle(response)
    if notice:
        cookies.drop(response, cookies.FLASH)
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
