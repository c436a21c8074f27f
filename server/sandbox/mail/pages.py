"""The page that lists what came, and each HTML body in a page of its own."""

import html
import re
from datetime import datetime

from sanic import HTTPResponse
from sanic.response import html as html_response

from .message import Message
from .sink import FAILURES, Failure

_URL = re.compile(r"https?://[^\s<>\"']+")

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d9d1c3, #3a3632); --muted: light-dark(#6b645b, #a59d92);
  font: 15px/1.6 system-ui, "Noto Sans CJK KR", sans-serif; }
body { max-width: 760px; margin: 0 auto; padding: 16px; background: light-dark(#faf6ee, #161412);
  color: light-dark(#1d1a17, #f1ebe1); word-break: keep-all; overflow-wrap: anywhere; }
h1 { margin: 0; font: 700 28px/1.2 Georgia, serif; }
h2 { margin: 0; font-size: 17px; }
a { color: light-dark(#a3161f, #e5686c); }
p { margin: 4px 0; color: var(--muted); }
article { margin-top: 24px; padding-top: 16px; border-top: 1px solid var(--line); }
iframe { width: 100%; height: 480px; margin-top: 8px; border: 1px solid var(--line); border-radius: 2px;
  background: #fff; }
pre { white-space: pre-wrap; font: inherit; }
summary { cursor: pointer; }
"""

_LIST_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
)
# A mail may style itself and show pictures; it may not run scripts. Its links open in a new tab.
_BODY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src *; base-uri 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def list_page(messages: list[Message], failure: Failure | None) -> HTTPResponse:
    """All messages, newest first."""
    articles = [_article(number, message) for number, message in enumerate(messages)]
    body = "".join(reversed(articles)) or "<p>Nothing has come yet. Reload to look again.</p>"
    state = f"<p>SMTP fails on purpose: {failure}</p>" if failure else ""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>Mail</h1><p>What would have been sent. Nothing leaves this machine.</p>{state}{body}"
        "</body></html>"
    )
    return html_response(page, headers={"content-security-policy": _LIST_POLICY, "cache-control": "no-store"})


def body_page(message: Message) -> HTTPResponse:
    """The HTML body of one message, shut off from everything."""
    page = f'<base target="_blank">{message.html}'
    return html_response(page, headers={"content-security-policy": _BODY_POLICY, "cache-control": "no-store"})


def _article(number: int, message: Message) -> str:
    at = datetime.fromisoformat(message.at).astimezone().strftime("%H:%M:%S")
    head = f"<h2>{html.escape(message.subject)}</h2><p>{html.escape(message.to)} · {at}</p>"
    text = f"<pre>{_linked(message.text)}</pre>"
    if not message.html:
        return f"<article>{head}{text}</article>"
    frame = (
        f'<iframe src="/messages/{number}/html" title="{html.escape(message.subject)}" '
        'sandbox="allow-popups allow-popups-to-escape-sandbox" loading="lazy"></iframe>'
    )
    return f"<article>{head}{frame}<details><summary>As text</summary>{text}</details></article>"


def _linked(text: str) -> str:
    parts, end = [], 0
    for match in _URL.finditer(text):
        url = html.escape(match.group())
        parts += [html.escape(text[end : match.start()]), f'<a href="{url}" target="_blank">{url}</a>']
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])


def is_failure(value: object) -> bool:
    """Whether the setting `smtp_fail` may have this value."""
    return value is None or value in FAILURES
