"""Editors make a course through the pages, as a browser would."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from server.accounts.models import Role
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, SectionRecord
from server.database.session import session_scope
from tests.conftest import Site
from tests.factories import category, course, post, signed_in, stock_site, take_video_away


async def editor(site: Site, *courses: dict[str, Any]) -> httpx.AsyncClient:
    await stock_site(site, courses)
    client, _ = await signed_in(site, Role.EDITOR)
    return client


async def typed(site: Site, changes: Mapping[str, str] = {}) -> dict[str, str]:
    async with session_scope(site.app.ctx.sessions):
        kitchen = await category("kitchen")
    return {
        "slug": "new-course",
        "category": kitchen.id,
        "level": "beginner",
        "cover": catalog.covers()[0],
        "title.ko": "새 강좌",
        "title.en": "A New Course",
        "promise.en": "One sentence.",
        "description.en": "First.\r\n\r\nSecond.",
        "learn.en": "One\r\nTwo",
        "learn.ko": "하나\r\n둘",
        "teacher_name.en": "Hana Seo",
        "questions.en": "Why?\r\nBecause.\r\nReally.\r\n\r\nWhen?\r\nNow.",
        "price.KRW": "33,000",
        "price.USD": "33.00",
        "price.JPY": "",
        **changes,
    }


async def stored(site: Site, slug: str = "new-course") -> tuple[CourseRecord, list[SectionRecord]]:
    async with session_scope(site.app.ctx.sessions):
        found = await catalog.get_any(slug)
        return found, await catalog.curriculum(found.id)


async def test_a_course_is_made_filled_and_published(site: Site) -> None:
    client = await editor(site)
    answer = await post(client, "/admin/courses", **await typed(site))
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/courses/new-course")
    found, _ = await stored(site)
    assert [(price.currency, price.amount) for price in found.prices] == [("KRW", 33000), ("USD", 3300)]
    assert found.learn == [{"ko": "하나", "en": "One"}, {"ko": "둘", "en": "Two"}]
    assert found.questions[0] == {"q": {"en": "Why?"}, "a": {"en": "Because.\nReally."}}
    assert found.description == {"en": "First.\n\nSecond."}

    assert (await post(client, "/admin/courses/new-course/publish")).status_code == 409
    await post(client, "/admin/courses/new-course/sections", **{"section_title.en": "Act one"})
    _, sections = await stored(site)
    answer = await post(
        client,
        "/admin/courses/new-course/lectures",
        section=sections[0].id,
        **{"lecture_title.en": "Opening"},
        media_content_key="hBftp9d6",
        duration="1:02:03",
        is_preview="on",
    )
    assert answer.status_code == 303
    assert (await post(client, "/admin/courses/new-course/publish")).status_code == 303
    found, sections = await stored(site)
    assert (found.duration_s, sections[0].lectures[0].is_preview) == (3723, True)
    assert (await site.client().get("/courses/new-course")).status_code == 200


async def test_the_page_of_a_course_shows_what_was_typed_and_saving_it_again_changes_nothing(
    site: Site,
) -> None:
    client = await editor(site)
    given = await typed(site)
    await post(client, "/admin/courses", **given)
    before, _ = await stored(site)
    page = (await client.get("/admin/courses/new-course")).text
    assert 'value="33.00"' in page
    assert 'value="33000"' in page
    await post(client, "/admin/courses/new-course", **given)
    after, _ = await stored(site)
    assert after.model_dump(exclude={"updated_at"}) == before.model_dump(exclude={"updated_at"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("price.KRW", "999", "The smallest amount that can be charged is ₩1,000."),
        ("price.USD", "0.49", "The smallest amount that can be charged is $0.50."),
        ("price.USD", "33.001", "This currency has no units that small."),
        ("price.KRW", "33.5", "This currency has no units that small."),
        ("price.JPY", "free", "Please type an amount, in digits."),
        ("slug", "New Course", "This does not have the expected form."),
        ("slug", "new", "This word is taken by a page of the site."),
        ("slug", "knife", "Another course has this address."),
        ("category", "none", "Please choose one of the given options."),
        ("cover", "img/covers/../mark.svg", "Please choose one of the given options."),
        ("level", "genius", "Please choose one of the given options."),
        ("questions.en", "Why?", "Each question needs its answer on the lines below it."),
    ],
)
async def test_a_refused_form_names_the_field_and_keeps_what_was_typed(
    site: Site, name: str, value: str, words: str
) -> None:
    client = await editor(site, course("knife"))
    answer = await post(client, "/admin/courses", **await typed(site, {name: value}))
    assert answer.status_code in (409, 422)
    field = answer.text.split(f'id="{name}-error">')[1]
    assert field.startswith(words)
    assert 'value="A New Course"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1


async def test_a_title_in_one_language_is_enough_and_none_is_not(site: Site) -> None:
    client = await editor(site)
    answer = await post(client, "/admin/courses", **await typed(site, {"title.ko": "", "title.en": ""}))
    assert answer.status_code == 422
    assert 'id="title-error"' in answer.text
    assert (await post(client, "/admin/courses", **await typed(site, {"title.en": ""}))).status_code == 303


async def test_publishing_names_the_lectures_without_a_video(site: Site) -> None:
    client = await editor(site, course("knife", status="draft"))
    page = "/admin/courses/knife"
    assert 'id="publish"' not in (await client.get(page)).text  # every video is there: nothing to ask
    _, [section] = await stored(site, "knife")
    async with session_scope(site.app.ctx.sessions):
        await take_video_away(section.lectures[1])

    question = (await client.get(page)).text.split('id="publish"')[1].split("</form>")[0]
    assert "Publish this course?" in question
    assert "Behind the curtain" in question
    assert "Opening" not in question
    assert (await post(client, f"{page}/publish")).status_code == 303
    assert (await stored(site, "knife"))[0].is_published


async def test_archived_and_drafted_again(site: Site) -> None:
    client = await editor(site, course("knife"))
    for act, status in (("archive", "archived"), ("publish", "published"), ("unpublish", "draft")):
        assert (await post(client, f"/admin/courses/knife/{act}")).status_code == 303
        found, _ = await stored(site, "knife")
        assert found.status == status


async def test_the_program_is_edited(site: Site) -> None:
    client = await editor(site, course("knife"))
    base = "/admin/courses/knife"
    _, [section] = await stored(site, "knife")
    first, second = section.lectures
    page = (await client.get(base)).text
    assert second.media_content_key in page
    for path in (f"{base}/sections/{section.id}", f"{base}/lectures/{first.id}"):
        assert (await client.get(path)).status_code == 200

    await post(client, f"{base}/lectures/{second.id}/move", direction="up")
    await post(client, f"{base}/sections/{section.id}", **{"section_title.ko": "첫 막"})
    await post(
        client,
        f"{base}/lectures/{first.id}",
        section=section.id,
        **{"lecture_title.en": "Renamed"},
        media_content_key="abc",
        duration="0:20",
    )
    _, [section] = await stored(site, "knife")
    assert section.title == {"ko": "첫 막"}
    assert [lecture.title.get("en") for lecture in section.lectures] == ["Behind the curtain", "Renamed"]
    assert (await post(client, f"{base}/lectures/{second.id}/delete")).status_code == 303
    answer = await post(client, f"{base}/sections/{section.id}/delete")
    assert answer.status_code == 409
    assert "still has lectures" in answer.text


@pytest.mark.parametrize("duration", ["soon", "12", "12:60", "\u0661\u0662:30", "12:3\u0660"])
async def test_a_refused_lecture_keeps_what_was_typed(site: Site, duration: str) -> None:
    client = await editor(site, course("knife"))
    _, [section] = await stored(site, "knife")
    fields = {
        "section": section.id,
        "lecture_title.en": "Encore",
        "media_content_key": "a b",
        "duration": duration,
    }
    for path in ("/lectures", f"/lectures/{section.lectures[0].id}"):
        answer = await post(client, f"/admin/courses/knife{path}", **fields)
        assert answer.status_code == 422
        assert 'id="duration-error">Please type minutes and seconds' in answer.text
        assert 'id="media_content_key-error"' in answer.text
        assert 'value="Encore"' in answer.text
