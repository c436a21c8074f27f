"""What every template keeps to, read from the files themselves."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if "mail" not in path.parts)


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
