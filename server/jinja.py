"""What all our templates have in common, those of pages and those of mails."""

import jinja2

from server.i18n import (
    format_clock,
    format_day,
    format_minutes,
    format_moment,
    gettext,
    ngettext,
    pick,
)
from server.money import format_money
from server.settings import ROOT


def environment() -> jinja2.Environment:
    """A new one; only a template that is named `….txt` is not HTML."""
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        autoescape=jinja2.select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    jinja.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    jinja.filters["tr"] = pick
    jinja.globals.update(
        money=format_money,
        dt=format_moment,
        day=format_day,
        minutes=format_minutes,
        clock=format_clock,
    )
    return jinja
