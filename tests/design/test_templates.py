"""What every template keeps to, read from the files themselves."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if "mail" not in path.parts)
METHODS = [
    ("server/**.py", "python"),
    ("templates/**.html", "jinja2"),
    ("templates/**.txt", "jinja2"),
]
OPTIONS = {pattern: {"newstyle_gettext": "true", "trimmed": "true"} for pattern, _ in METHODS[1:]}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_page_holds_nothing_that_the_security_policy_would_block(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle=|<style", source)
    assert not re.search(r"\son[a-z]+=\"", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_page_compiles(path: Path) -> None:
    jinja = Environment(loader=FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True)
    jinja.filters["tr"] = str
    jinja.get_template(str(path.relative_to(TEMPLATES)))


def test_every_sentence_has_its_korean() -> None:
    with (ROOT / "locale/ko/LC_MESSAGES/messages.po").open("rb") as source:
        catalog = read_po(source, locale="ko")
    found = extract_from_dir(
        ROOT, METHODS, OPTIONS, keywords={"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
    )
    wanted = {texts if isinstance(texts, str) else texts[0] for _, _, texts, _, _ in found}
    untold = []
    for text in wanted:
        message = catalog.get(text)
        if message is None or not message.string or message.fuzzy:
            untold.append(text)
    assert not untold


def test_the_korean_keeps_every_placeholder() -> None:
    with (ROOT / "locale/ko/LC_MESSAGES/messages.po").open("rb") as source:
        catalog = read_po(source, locale="ko")
    for message in catalog:
        if not message.id or not message.string:
            continue
        english = message.id if isinstance(message.id, str) else message.id[1]
        korean = message.string if isinstance(message.string, str) else message.string[0]
        assert _placeholders(english) == _placeholders(korean), english


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|href=\"[^\"]+\"", text))
