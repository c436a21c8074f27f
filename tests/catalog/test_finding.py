"""Search, filters, order and pages of the course list."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.catalog import service as catalog
from server.catalog.models import Level
from server.catalog.records import CourseCard, CourseQuery
from server.catalog.search import fold, words
from server.database.session import current_session, session_scope
from tests.factories import category, course, stock

pytestmark = pytest.mark.usefixtures("session")


async def found(typed: str = "", currency: str = "KRW", page: int = 1, **query: object) -> list[str]:
    result = await catalog.find(CourseQuery(words=words(typed), **query), currency, page)  # type: ignore[arg-type]
    return [card.slug for card in result.items]


async def test_korean_words_are_found_whatever_their_unicode_form() -> None:
    await stock(
        course("knife", title={"en": "Knife and Board", "ko": "칼과 도마"}),
        course("bread", title={"en": "Slow Bread", "ko": "느린 빵"}),
    )
    decomposed = "도마"
    assert await found("도마") == await found(decomposed) == ["knife"]


async def test_width_and_case_do_not_matter() -> None:
    await stock(course("sql", title={"en": "SQL Backstage", "ko": "SQL 무대 뒤"}), course("bread"))
    assert await found("sql") == await found("ＳＱＬ backSTAGE") == ["sql"]


async def test_every_word_must_match_in_title_promise_teacher_or_category() -> None:
    await stock(
        course("knife", promise={"en": "Half of cooking gets easy."}),
        course("piano", category="stage", teacher={"name": {"en": "Daon Seo"}, "bio": {"en": ""}}),
    )
    assert await found("cooking kitchen") == ["knife"]
    assert await found("daon music") == ["piano"]
    assert await found("cooking music") == []


@pytest.mark.parametrize("typed", ["%", "_", "\\", "/", "100%", "a_b", "'", '"'])
async def test_signs_of_the_query_language_are_letters_like_any_other(typed: str) -> None:
    await stock(course("plain"), course("odd", title={"en": f"Odd {typed} title"}))
    assert await found(typed) == ["odd"]


async def test_filters_narrow_together() -> None:
    await stock(
        course("a", level="advanced"),
        course("b", level="advanced", category="stage"),
        course("c", category="stage"),
    )
    stage = (await category("stage")).id
    assert await found(category_id=stage, level=Level.ADVANCED) == ["b"]


async def test_drafts_and_archived_courses_are_never_found() -> None:
    await stock(course("on"), course("off", status="draft"), course("gone", status="archived"))
    assert await found() == ["on"]


async def test_newest_first_by_default() -> None:
    await stock(
        course("older", published_on="2026-01-01"),
        course("newest", published_on="2026-03-01"),
        course("middle", published_on="2026-02-01"),
    )
    assert await found() == ["newest", "middle", "older"]


async def test_popular_first_counts_sales() -> None:
    await stock(course("a"), course("b"), course("c"))
    b, c = await catalog.get_any("b"), await catalog.get_any("c")
    await catalog.recount_sales({b.id: 3, c.id: 1})
    assert await found(sort="popular") == ["b", "c", "a"]
    await catalog.recount_sales({c.id: 1})
    assert await found(sort="popular") != ["b", "c", "a"]
    assert (await catalog.get_any("b")).sold_count == 0


async def test_price_order_is_the_visitors_currency_and_courses_without_it_come_last() -> None:
    await stock(
        course("dear", prices={"KRW": 50000, "USD": 1000}),
        course("cheap", prices={"KRW": 10000, "USD": 9000}),
        course("yen-only", prices={"JPY": 100}),
    )
    assert await found(sort="price", currency="KRW") == ["cheap", "dear", "yen-only"]
    assert await found(sort="price", currency="USD") == ["dear", "cheap", "yen-only"]
    assert await found(sort="-price", currency="USD") == ["cheap", "dear", "yen-only"]


async def test_a_card_shows_the_visitors_price_else_the_first_that_there_is() -> None:
    await stock(course("both", prices={"KRW": 50000, "USD": 1000}), course("yen", prices={"JPY": 100}))
    cards = (await catalog.find(CourseQuery(), "USD", 1)).items
    prices = {card.slug: (card.price.currency, card.price.amount) for card in cards if card.price}
    assert prices == {"both": ("USD", 1000), "yen": ("JPY", 100)}


async def test_workers_that_count_sales_at_the_same_time_all_come_to_an_end(
    sessions: async_sessionmaker[Any],
) -> None:
    """Each reads the courses in the order of the counts that another one writes: they locked crosswise.

    What stays of each course is what some worker counted last.
    """
    await stock(*(course(f"course-{number}") for number in range(8)))
    ids = [one.id for one in await catalog.all_courses()]

    def counted(worker: int, turn: int) -> dict[str, int]:
        return {one: (worker + turn) * place % 17 for place, one in enumerate(ids)}

    async def count_on(worker: int) -> None:
        for turn in range(8):
            async with session_scope(sessions):
                await catalog.recount_sales(counted(worker, turn))

    await asyncio.gather(*(count_on(worker) for worker in range(8)))

    await current_session().reset()
    last = [counted(worker, 7) for worker in range(8)]
    for one in await catalog.all_courses():
        assert one.sold_count in {told[one.id] for told in last}


@pytest.mark.parametrize("sort", ["newest", "popular", "price", "-price"])
async def test_pages_show_each_course_once_even_if_all_are_equal(sort: str) -> None:
    await stock(*(course(f"course-{number}") for number in range(30)))
    pages = [await catalog.find(CourseQuery(sort=sort), "KRW", number) for number in (1, 2, 3)]
    slugs = [card.slug for page in pages for card in page.items]
    assert len(slugs) == len(set(slugs)) == 30
    assert [len(page.items) for page in pages] == [12, 12, 6]
    assert {(page.total, page.count) for page in pages} == {(30, 3)}


async def test_home_has_the_best_seller_the_newest_and_each_category() -> None:
    await stock(
        *(course(f"kitchen-{number}", published_on=f"2026-01-{number:02}") for number in range(1, 8)),
        course("classic", category="stage", published_on="2025-01-01"),
    )
    classic = await catalog.get_any("classic")
    await catalog.recount_sales({classic.id: 1})
    bill = await catalog.home("KRW")

    def slugs(cards: list[CourseCard]) -> list[str]:
        return [card.slug for card in cards]

    assert bill.headline is not None
    assert bill.headline.slug == "classic"
    assert slugs(bill.newest) == ["kitchen-7", "kitchen-6", "kitchen-5", "kitchen-4"]
    assert [(row.category.slug, slugs(row.courses)) for row in bill.rows] == [
        ("kitchen", ["kitchen-7", "kitchen-6", "kitchen-5", "kitchen-4"]),
        ("stage", ["classic"]),
    ]


async def test_the_headline_does_not_stand_among_the_newest_once_more() -> None:
    await stock(*(course(f"course-{number}", published_on=f"2026-01-{number:02}") for number in range(1, 8)))
    bill = await catalog.home("KRW")
    assert bill.headline is not None
    assert bill.headline.slug == "course-7"
    assert [card.slug for card in bill.newest] == ["course-6", "course-5", "course-4", "course-3"]


async def test_home_of_an_empty_catalog_is_empty() -> None:
    await stock()
    bill = await catalog.home("KRW")
    assert (bill.headline, bill.newest, bill.rows) == (None, [], [])


async def test_folding_is_stable() -> None:
    for text in ("ǅ", "ﬁ", "İ", "ß", "ㅏ", "도마"):
        assert fold(fold(text)) == fold(text)
