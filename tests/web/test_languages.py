"""A language more is a folder in `locale/` and a word in `LOCALES`."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server import i18n, languages
from server.settings import ROOT, Settings, configure
from tests.conftest import Site
from tests.factories import create_course

GERMAN = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Courses"
msgstr "Kurse"
"""


@pytest.fixture(autouse=True)
def forget_catalogs() -> None:
    """One that was read from another folder."""
    i18n._catalog.cache_clear()


@pytest.fixture
def german(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The site with German besides: only these texts, and one sentence of them."""
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    file = languages.catalog_file("de")
    file.parent.mkdir(parents=True)
    file.write_text(GERMAN.lstrip(), "utf-8")
    return Settings.model_validate(settings.model_dump() | {"locales": "de,en"})


async def test_a_third_language_needs_no_code(site: Site, session: None, german: Settings) -> None:
    await create_course()
    configure(german)
    async with site.client(headers={"Accept-Language": "de-CH, en;q=0.5"}) as client:
        page = (await client.get("/courses")).text
        terms = (await client.get("/terms")).text

    assert '<html lang="de"' in page
    assert "Kurse</h1>" in page
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page
    assert "$33,00" in page
    assert '<div lang="en">' in terms, "nobody has written the contract in German yet"


@pytest.mark.parametrize(
    ("header", "wishes"),
    [
        ("", []),
        ("ko-KR", ["ko"]),
        ("en;q=0.1, ko;q=0.9, *;q=0", ["ko", "en"]),
        ("fr, de;q=0.5", ["fr", "de"]),
        ("nonsense;q=x,,", []),
    ],
)
def test_wishes_are_sorted_by_their_quality(header: str, wishes: list[str]) -> None:
    assert languages.wished(header) == wishes


def test_a_language_is_named_as_its_speakers_do() -> None:
    names = [languages.own_name(code) for code in ("ko", "en", "ja", "fr")]

    assert names == ["한국어", "English", "日本語", "Français"]


def test_the_display_face_is_sent_where_it_has_the_letters() -> None:
    assert [languages.is_latin(code) for code in ("en", "de", "ko", "ja")] == [True, True, False, False]


def test_a_moment_reads_as_people_write_it(settings: Settings) -> None:
    afternoon = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
    with i18n.in_locale("ko"):
        assert i18n.format_moment(afternoon).endswith(" 오후 3:05")
    with i18n.in_locale("en"):
        assert i18n.format_moment(afternoon).endswith(" 3:05 PM")


def test_no_code_names_a_language_but_the_one_place() -> None:
    """The demo's people and the stand-ins have languages of their own."""
    code = re.compile(rf"(?:.*_)?(?:{'|'.join(languages.written() | {*languages.CURRENCIES})})")
    rooms = [path for path in (ROOT / "server").rglob("*.py") if not {"demo", "sandbox"} & {*path.parts}]

    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in rooms
        if path != Path(languages.__file__)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and code.fullmatch(node.value)
    ]

    assert named == []
