"""What every template keeps to, read from the files themselves."""

import re
from pathlib import Path

import pytest

from server.settings import ROOT
from server.web.templating import environment

TEMPLATES = ROOT / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if "mail" not in path.parts)


def name_of(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


every_page = pytest.mark.parametrize("path", PAGES, ids=name_of)


@every_page
def test_page_holds_nothing_that_the_security_policy_would_block(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle=|<style", source)
    assert not re.search(r"\son[a-z]+=\"", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)


@every_page
def test_page_compiles(path: Path) -> None:
    environment().get_template(name_of(path))


@every_page
def test_page_imports_what_it_uses(path: Path) -> None:
    source = path.read_text()
    imported = [
        name for names in re.findall(r"{% from \S+ import ([\w, ]+) %}", source) for name in names.split(", ")
    ]
    assert [name for name in imported if not re.search(rf"\b{name}\(", source)] == []


@every_page
def test_page_says_what_the_heads_of_its_tables_are_for(path: Path) -> None:
    assert not re.search(r"<th(?![^>]*\sscope=)[\s>]", path.read_text())


@every_page
def test_page_puts_no_element_where_only_text_may_stand(path: Path) -> None:
    """`tr` may answer with an element, which carries the language of a text; `plain` never does."""
    source = path.read_text()
    for place in (r'="[^">]*{{[^}]*\|tr\b', r"{% block title %}.*\|tr\b", r"<option[^\n]*\|tr\b"):
        assert not re.search(place, source)


@every_page
def test_form_that_posts_carries_the_token_or_can_be_sent_once_more(path: Path) -> None:
    """Or a browser that says nothing of itself could not send it."""
    forms = re.findall(r'<form\b[^>]*method="post".*?</form>', path.read_text(), re.DOTALL)

    assert [form for form in forms if "csrf(" not in form and not SENT_OTHERWISE.search(form)] == []


# The forms of routes that ask once more, and the one whose script sends the token of the page.
SENT_OTHERWISE = re.compile(r'action="/(preferences|logout|checkout/[^"]*/sign-in-link)"|data-checkout')
