"""Every sentence exists in every language."""

import re
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from server.settings import ROOT

KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def messages() -> set[str]:
    found: set[str] = set()
    with (ROOT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    for _, _, message, _, _ in extract_from_dir(
        ROOT,
        methods,
        keywords=KEYWORDS,
        options_map=options,
        directory_filter=lambda path: not re.search(r"/(\.|tests|alembic|var|static|docs)", path),
    ):
        found.add(message[0] if isinstance(message, tuple) else message)
    return found


@pytest.fixture(scope="module")
def korean() -> Catalog:
    with (ROOT / "locale" / "ko" / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(BytesIO(source.read()), locale="ko")


def test_every_sentence_is_translated(korean: Catalog) -> None:
    missing = sorted(message for message in messages() if not (korean.get(message) or _none).string)

    assert missing == []


class _none:
    string = ""


def test_translations_keep_the_places_for_names_and_numbers(korean: Catalog) -> None:
    broken = []
    for message in korean:
        if not message.id or not message.string:
            continue
        singular = str(message.id[0] if isinstance(message.id, tuple) else message.id)
        texts = (
            [str(text) for text in message.string]
            if isinstance(message.string, tuple)
            else [str(message.string)]
        )
        wanted = set(PLACEHOLDERS.findall(singular))
        broken += [singular for text in texts if not set(PLACEHOLDERS.findall(text)) <= wanted]
    assert broken == []


def test_no_translation_has_lost_its_sentence(korean: Catalog) -> None:
    used = messages()
    stale = sorted(
        str(message.id)
        for message in korean
        if message.id and (message.id[0] if isinstance(message.id, tuple) else message.id) not in used
    )
    assert stale == []
