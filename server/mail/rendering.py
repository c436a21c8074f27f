"""Mails are rendered by an environment of their own: their texts are no HTML, and they know no request."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from server.business import Business
from server.i18n import (
    current_locale,
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


@dataclass(frozen=True, slots=True)
class Content:
    subject: str
    text: str
    html: str


@cache
def _environment() -> jinja2.Environment:
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html",), default=False),
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    jinja.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    jinja.filters["tr"] = pick
    jinja.globals.update(
        money=format_money, dt=format_moment, day=format_day, minutes=format_minutes, business=Business()
    )
    return jinja


def render(template: str, locale: str, **context: Any) -> Content:
    """Render `templates/mail/<template>/{subject.txt,body.txt,body.html}` in `locale`."""
    with in_locale(locale):
        subject, text, html = (
            _environment()
            .get_template(f"mail/{template}/{part}")
            .render(context, locale=current_locale(), public_url=settings().public_url)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    # A line break in a subject would begin the next header.
    return Content(" ".join(subject.split()), text.strip() + "\n", html)
