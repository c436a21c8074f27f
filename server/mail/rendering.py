"""Mails have an environment of their own: half of their texts are no HTML, and they know no request."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from server import jinja
from server.business import business
from server.i18n import current_locale, in_locale
from server.settings import settings

_environment = cache(jinja.environment)


@dataclass(frozen=True, slots=True)
class Content:
    subject: str
    text: str
    html: str


def render(template: str, locale: str, **context: Any) -> Content:
    """Render `templates/mail/<template>/{subject.txt,body.txt,body.html}` in `locale`."""
    with in_locale(locale):
        context |= {"locale": current_locale(), "public_url": settings().public_url, "business": business()}
        subject, text, html = (
            _environment().get_template(f"mail/{template}/{part}").render(context)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    # A line break in a subject would begin the next header.
    return Content(" ".join(subject.split()), text.strip() + "\n", html)
