"""A third language of the site is a folder of texts and a setting: forms, store and pages follow."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server import i18n, languages
from server.accounts.models import Role
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, SectionRecord
from server.database.session import session_scope
from server.settings import Settings, configure
from tests.conftest import Site
from tests.factories import category, course, post, signed_in, stock_site

JAPANESE = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8"

msgid "Program"
msgstr "プログラム"
"""


@pytest.fixture
def japanese(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    shutil.copytree(languages.FOLDER, tmp_path / "locale")
    monkeypatch.setattr(languages, "FOLDER", tmp_path / "locale")
    languages.catalog_file("ja").parent.mkdir(parents=True)
    languages.catalog_file("ja").write_text(JAPANESE, "utf-8")
    configure(Settings.model_validate({**settings.model_dump(), "locales": "ko,en,ja"}))
    yield
    configure(settings)
    i18n._catalog.cache_clear()


async def editor(site: Site) -> httpx.AsyncClient:
    await stock_site(site, [course("knife")])
    client, _ = await signed_in(site, Role.EDITOR)
    return client


async def fields(site: Site) -> dict[str, str]:
    async with session_scope(site.app.ctx.sessions):
        kitchen = await category("kitchen")
    return {"category": kitchen.id, "level": "beginner", "cover": catalog.covers()[0], "price.KRW": "33000"}


async def stored(site: Site, slug: str) -> tuple[CourseRecord, list[SectionRecord]]:
    async with session_scope(site.app.ctx.sessions):
        found = await catalog.get_any(slug)
        return found, await catalog.curriculum(found.id)


@pytest.mark.usefixtures("japanese")
async def test_the_form_of_a_course_has_a_field_for_each_language(site: Site) -> None:
    client = await editor(site)
    for path in ("/admin/courses/new", "/admin/courses/knife"):
        page = (await client.get(path)).text
        for name in ("title", "promise", "description", "learn", "questions", "teacher_name", "teacher_bio"):
            for language in ("ko", "en", "ja"):
                assert page.count(f'name="{name}.{language}"') == 1, (path, name, language)
        assert '<label for="title.ja">日本語</label>' in page
    for name in ("section_title", "lecture_title"):
        assert f'name="{name}.ja"' in page


@pytest.mark.usefixtures("japanese")
async def test_a_third_language_is_stored_and_shown(site: Site) -> None:
    client = await editor(site)
    texts = {
        "slug": "bread",
        "title.ko": "빵",
        "title.ja": "パン",
        "promise.ja": "約束",
        "description.ja": "一",
        "teacher_name.ja": "花",
        "learn.en": "One",
        "learn.ja": "一つ\r\n二つ",
        "questions.ja": "なぜ？\r\nから。",
    }
    assert (await post(client, "/admin/courses", **await fields(site), **texts)).status_code == 303
    bread, _ = await stored(site, "bread")
    assert bread.title == {"ko": "빵", "ja": "パン"}
    assert bread.learn == [{"en": "One", "ja": "一つ"}, {"ja": "二つ"}]
    assert bread.questions == [{"q": {"ja": "なぜ？"}, "a": {"ja": "から。"}}]
    assert 'value="パン"' in (await client.get("/admin/courses/bread")).text

    await post(client, "/admin/courses/bread/sections", **{"section_title.ja": "第一幕"})
    _, [section] = await stored(site, "bread")
    lecture = {"section": section.id, "media_content_key": "hBftp9d6", "duration": "1:00"}
    await post(client, "/admin/courses/bread/lectures", **lecture, **{"lecture_title.ja": "開幕"})
    assert (await post(client, "/admin/courses/bread/publish")).status_code == 303

    page = (await site.client().get("/courses/bread?lang=ja")).text
    for words in ('<html lang="ja"', "<h1>パン</h1>", "プログラム", "第一幕", "開幕", "なぜ？"):
        assert words in page, words
    english = (await site.client().get("/courses/bread")).text
    assert '<span lang="ko">빵</span>' in english


@pytest.mark.usefixtures("japanese")
async def test_one_language_is_enough_whichever_it_is(site: Site) -> None:
    client = await editor(site)
    given = {"slug": "bread", **await fields(site)}
    answer = await post(client, "/admin/courses", **given)
    assert answer.status_code == 422
    assert answer.text.count('id="title-error">Please fill this in, in at least one language.') == 1
    answer = await post(client, "/admin/courses", **given, **{"title.ja": "ぱ" * 301})
    assert 'id="title.ja-error">This is too long.' in answer.text
    assert (await post(client, "/admin/courses", **given, **{"title.ja": "パン"})).status_code == 303


async def test_a_language_that_the_site_does_not_offer_is_no_field(site: Site) -> None:
    client = await editor(site)
    given = {"slug": "bread", "title.en": "Bread", "title.ja": "パン", **await fields(site)}
    assert 'name="title.ja"' not in (await client.get("/admin/courses/new")).text
    await post(client, "/admin/courses", **given)
    bread, _ = await stored(site, "bread")
    assert bread.title == {"en": "Bread"}


async def test_an_edit_keeps_the_texts_in_languages_that_the_site_does_not_offer_now(site: Site) -> None:
    """A language taken out of `LOCALES` for a while must not lose its texts with the next new price."""
    learn = [{"en": "One", "ja": "一"}, {"en": "Two", "ja": "二"}]
    asked = [{"q": {"en": "Why?", "ja": "なぜ？"}, "a": {"en": "So.", "ja": "から。"}}]
    texts = {"title": {"en": "Bread", "ja": "パン"}, "learn": learn, "questions": asked}
    await stock_site(site, [course("bread", **texts)])
    client = await editor(site)
    [section] = (await stored(site, "bread"))[1]
    edited = {
        "slug": "bread",
        "title.en": "Good Bread",
        "promise.en": "One.",
        "description.en": "Two.",
        "teacher_name.en": "Hana",
        "learn.en": "Only one",
        "questions.en": "How?\nSlowly.",
    }
    answer = await post(client, "/admin/courses/bread", **await fields(site), **edited)
    assert answer.status_code == 303
    bread, _ = await stored(site, "bread")
    assert bread.title == {"en": "Good Bread", "ja": "パン"}
    assert bread.learn == [{"en": "Only one", "ja": "一"}]  # the second line was taken out
    assert bread.questions == [{"q": {"en": "How?", "ja": "なぜ？"}, "a": {"en": "Slowly.", "ja": "から。"}}]
    await post(client, f"/admin/courses/bread/sections/{section.id}", **{"section_title.en": "Finale"})
    assert (await stored(site, "bread"))[1][0].title == {"en": "Finale"}
