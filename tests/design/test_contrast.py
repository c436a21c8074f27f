"""WCAG contrast of the color roles in `static/css/tokens.css`, by day and by night."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static/css/tokens.css"
DAY, NIGHT = 0, 1
TEXTS = ("ink", "muted", "accent-text", "good", "warn", "bad")
GROUNDS = ("paper", "raised", "sunken")


def _colors() -> dict[str, tuple[str, str]]:
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS.read_text())
    return {name: (day, night) for name, day, night in found}


def _luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", [DAY, NIGHT], ids=["day", "night"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read_on_every_ground(text: str, ground: str, theme: int) -> None:
    colors = _colors()
    assert _contrast(colors[text][theme], colors[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [DAY, NIGHT], ids=["day", "night"])
@pytest.mark.parametrize("role", ["accent", "accent-hover"])
def test_the_words_on_the_red_button_can_be_read(role: str, theme: int) -> None:
    assert _contrast(_colors()[role][theme], "#fff8ef") >= 4.5


@pytest.mark.parametrize("theme", [DAY, NIGHT], ids=["day", "night"])
@pytest.mark.parametrize("role", ["line-strong", "focus", "accent"])
def test_the_edges_of_controls_can_be_seen(role: str, theme: int) -> None:
    colors = _colors()
    assert all(_contrast(colors[role][theme], colors[ground][theme]) >= 3 for ground in GROUNDS)
