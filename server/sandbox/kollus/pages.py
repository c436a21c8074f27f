"""The HTML of the player page, filled from `templates/`; its texts in Korean and English."""

import html
import json
import re
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from sanic import HTTPResponse
from sanic.response import html as html_response

from .errors import PlayerError, texts
from .state import State, View

_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?")
_TEMPLATES = Path(__file__).parent / "templates"
_DEFAULT_RATES = (0.5, 0.75, 1, 1.25, 1.5, 2)
# Errors that only the page can find: the end of what was allowed, and a clip that does not load.
_PAGE_ERRORS = (7000, 8686, 8900)

_LABELS = {
    "ko": {
        "play": "재생",
        "pause": "일시정지",
        "seek": "재생 위치",
        "speed": "속도",
        "mute": "소리 끄기",
        "unmute": "소리 켜기",
        "fullscreen": "전체 화면",
        "loading": "불러오는 중이에요",
        "error": "오류",
    },
    "en": {
        "play": "Play",
        "pause": "Pause",
        "seek": "Position",
        "speed": "Speed",
        "mute": "Mute",
        "unmute": "Unmute",
        "fullscreen": "Full screen",
        "loading": "Loading",
        "error": "Error",
    },
}


def language(accept_language: str) -> str:
    """`ko` or `en`, whichever the browser prefers; English when it knows neither."""
    best, best_quality = "en", 0.0
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        weight = float(quality) if _QUALITY.fullmatch(quality) else 1.0
        if tag[:2].lower() in _LABELS and weight > best_quality:
            best, best_quality = tag[:2].lower(), weight
    return best


def player_page(state: State, view: View, lang: str) -> HTTPResponse:
    """The page that asks for approval, loads the clip and plays it."""
    opening = view.opening
    boot: dict[str, Any] = {
        "view": view.id,
        "start": opening.start,
        "autoplay": opening.autoplay,
        "mute": opening.mute,
        "duration": opening.content.duration,
        "seek": opening.item.seek,
        "seekableEnd": opening.item.seekable_end,
        "rates": [] if opening.item.disable_playrate else (opening.playback_rates or _DEFAULT_RATES),
        "watermark": opening.watermark
        and {
            "text": opening.watermark.code_kind,
            "size": opening.watermark.font_size,
            "color": opening.watermark.font_color,
            "showTime": opening.watermark.show_time,
            "hideTime": opening.watermark.hide_time,
            "alpha": opening.watermark.alpha / 255,
        },
        "errors": texts(_PAGE_ERRORS, lang),
        "labels": _LABELS[lang],
        "error": None,
    }
    return _page(state, lang, opening.title, boot, None)


def error_page(state: State, error: PlayerError, lang: str) -> HTTPResponse:
    """Always status 200, as the real gateway: the code stands in the page and goes to the embedding page."""
    boot = {"labels": _LABELS[lang], "error": error.as_json(lang)}
    return _page(state, lang, f"{_LABELS[lang]['error']} {error.code}", boot, error)


def _page(
    state: State, lang: str, title: str, boot: dict[str, Any], error: PlayerError | None
) -> HTTPResponse:
    shown = error.as_json(lang) if error else {"code": "", "message": "", "detail": ""}
    values = {name: html.escape(str(value)) for name, value in shown.items()} | {
        "lang": lang,
        "title": html.escape(title),
        "error_attribute": f' data-error-code="{error.code}"' if error else "",
        "error_hidden": "" if error else " hidden",
        "player_hidden": " hidden" if error else "",
        "boot": json.dumps(boot).replace("<", "\\u003c"),
    }
    values |= {f"label_{name}": html.escape(label) for name, label in _LABELS[lang].items()}
    body = Template((_TEMPLATES / "player.html").read_text(encoding="utf-8")).substitute(values)
    return html_response(body, headers=_headers(state))


def _headers(state: State) -> dict[str, str]:
    lms = urlsplit(state.settings.lms_url)
    lms_origin = f" {lms.scheme}://{lms.netloc}" if lms.netloc else ""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        f"connect-src 'self'{lms_origin}; base-uri 'none'; form-action 'none'"
    )
    return {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


def control_page() -> HTTPResponse:
    """The page for people: what happened, and what can be changed."""
    policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'"
    body = (_TEMPLATES / "control.html").read_text(encoding="utf-8")
    return html_response(body, headers={"content-security-policy": policy, "cache-control": "no-store"})
