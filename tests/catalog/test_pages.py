"""The shop window over HTTP: who sees which course, what a page holds, how many statements it takes."""

import httpx
import pytest

from server.access import service as access
from server.access.models import GrantReason
from server.accounts.models import Role
from server.catalog import service as catalog
from server.database.session import session_scope, transaction
from tests.conftest import Site
from tests.factories import (
    MEDIA_KEYS,
    TESTER,
    course,
    lecture,
    section,
    signed_in,
    stock_site,
    take_video_away,
)


async def give(site: Site, account_id: str, *slugs: str) -> None:
    async with session_scope(site.app.ctx.sessions):
        for slug in slugs:
            owned = await catalog.get_any(slug)
            async with transaction():
                await access.give(TESTER, account_id, owned.id, GrantReason.GIFT)


def titles(answer: httpx.Response) -> list[str]:
    """Titles of the cards, in their order."""
    return [part.split("</a>")[0].rpartition(">")[2] for part in answer.text.split('class="card-title"')[1:]]


async def test_a_published_course_is_everybodys(site: Site) -> None:
    await stock_site(site, [course("slow-bread")])
    answer = await site.client().get("/courses/slow-bread")
    assert answer.status_code == 200
    assert "Slow Bread" in answer.text
    assert 'href="/checkout/slow-bread"' in answer.text
    assert f'<link rel="canonical" href="{site.url}/courses/slow-bread">' in answer.text


async def test_the_page_speaks_korean_and_asks_won_from_a_korean_browser(site: Site) -> None:
    await stock_site(site, [course("slow-bread")])
    answer = await site.client(headers={"Accept-Language": "ko"}).get("/courses/slow-bread")
    assert "Slow Bread 강좌" in answer.text
    assert "₩33,000" in answer.text


async def test_an_archived_course_is_gone_for_strangers_and_stays_with_its_owners(site: Site) -> None:
    await stock_site(site, [course("slow-bread", status="archived")])
    owner, account = await signed_in(site)
    await give(site, account.id, "slow-bread")
    assert (await site.client().get("/courses/slow-bread")).status_code == 404
    answer = await owner.get("/courses/slow-bread")
    assert (answer.status_code, answer.headers["location"]) == (303, "/learn/slow-bread")


async def test_a_draft_is_shown_to_editors_alone_and_cannot_be_bought(site: Site) -> None:
    await stock_site(site, [course("slow-bread", status="draft")])
    for role, status in ((Role.VIEWER, 404), (Role.SUPPORT, 404), (Role.EDITOR, 200), (Role.ADMIN, 200)):
        client, _ = await signed_in(site, role)
        answer = await client.get("/courses/slow-bread")
        assert answer.status_code == status, role
        assert "/checkout/" not in answer.text
    assert (await site.client().get("/courses/slow-bread")).status_code == 404


async def test_a_page_never_holds_a_media_content_key(site: Site) -> None:
    await stock_site(site, [course("slow-bread")])
    owner, account = await signed_in(site)
    await give(site, account.id, "slow-bread")
    for client in (site.client(), owner):
        for path in ("/", "/courses", "/courses/slow-bread"):
            page = (await client.get(path)).text
            assert not [key for key in MEDIA_KEYS if key in page], path


async def test_owned_courses_say_continue(site: Site) -> None:
    await stock_site(site, [course("slow-bread"), course("knife")])
    owner, account = await signed_in(site)
    await give(site, account.id, "slow-bread")
    home, listed, page = [(await owner.get(path)) for path in ("/", "/courses", "/courses/slow-bread")]
    assert 'id="continue"' in home.text
    assert titles(home)[0] == "Slow Bread"
    assert 'href="/learn/slow-bread"' in listed.text
    assert 'href="/courses/knife"' in listed.text
    assert 'href="/learn/slow-bread"' in page.text
    assert "/checkout/" not in page.text


async def test_filters_stand_in_the_address_and_nonsense_is_ignored(site: Site) -> None:
    await stock_site(site, [course("slow-bread", level="advanced"), course("piano", category="stage")])
    client = site.client()
    assert titles(await client.get("/courses?category=stage")) == ["Piano"]
    assert titles(await client.get("/courses?level=advanced&q=bread")) == ["Slow Bread"]
    assert len(titles(await client.get("/courses?category=x&level=x&sort=x&page=x&q="))) == 2


async def test_an_empty_result_offers_the_whole_list(site: Site) -> None:
    await stock_site(site, [course("slow-bread")])
    answer = await site.client().get("/courses?q=nothing-like-it")
    assert answer.status_code == 200
    assert titles(answer) == []
    assert 'href="/courses"' in answer.text.split('class="empty"')[1]


async def test_a_page_beyond_the_last_leads_to_the_first(site: Site) -> None:
    await stock_site(site, [course("slow-bread")])
    answer = await site.client().get("/courses?q=bread&page=9")
    assert (answer.status_code, answer.headers["location"]) == (303, "/courses?q=bread")


async def test_what_is_searched_for_is_text_and_never_markup(site: Site) -> None:
    await stock_site(site, [course("slow-bread")])
    answer = await site.client().get("/courses", params={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text


async def test_pages_answer_when_the_catalog_is_empty(site: Site) -> None:
    for path in ("/", "/courses"):
        assert (await site.client().get(path)).status_code == 200


@pytest.mark.parametrize("courses", [12, 120])
async def test_ten_times_as_many_courses_cost_no_statement_more(site: Site, courses: int) -> None:
    await stock_site(site, [course(f"course-{number}") for number in range(courses)])
    owner, account = await signed_in(site)
    await give(site, account.id, "course-1", "course-2")
    spent = {}
    for path in (
        "/",
        "/courses",
        "/courses?q=course&sort=price&page=1",
        "/courses/course-1",
        "/courses/course-3",
    ):
        with site.statements() as statements:
            assert (await owner.get(path)).status_code == 200
        spent[path] = len(statements)
    assert spent == {
        "/": 5,
        "/courses": 4,
        "/courses?q=course&sort=price&page=1": 4,
        "/courses/course-1": 5,
        "/courses/course-3": 4,
    }


async def with_a_coming_lecture(site: Site) -> str:
    """A course of 20 s and 45 s whose second lecture, a preview, has lost its video; the lecture's id."""
    acts = [section("Act one", lecture("Opening", 2), lecture("Encore", 1, preview=True))]
    await stock_site(site, [course("slow-bread", sections=acts)])
    async with session_scope(site.app.ctx.sessions):
        bread = await catalog.get_any("slow-bread")
        [act] = await catalog.curriculum(bread.id)
        await take_video_away(act.lectures[1])
    return act.lectures[1].id


async def test_a_lecture_without_a_video_is_coming_and_left_out_of_the_length(site: Site) -> None:
    coming = await with_a_coming_lecture(site)
    client = site.client()
    page = (await client.get("/courses/slow-bread")).text
    [first, second] = page.split('class="lecture')[2:]
    assert "coming" not in first
    assert "Encore" in second
    assert "coming" in second
    assert "0:45" not in page
    assert f"/preview/{coming}" not in page  # nothing to see there yet
    assert "Watch a free preview" not in page
    for path in ("/courses/slow-bread", "/courses", "/"):
        found = (await client.get(path)).text
        assert "<li>2 lectures</li>" in found, path
        assert "<li>20 sec</li>" in found, path
    assert page.count("20 sec") == 2  # of the course, and of the section
