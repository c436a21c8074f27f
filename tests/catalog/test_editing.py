"""What editors do to courses, sections and lectures."""

from dataclasses import replace

import pytest

from server.catalog import service as catalog
from server.catalog.errors import (
    CatalogError,
    CurrencyNotOffered,
    LectureInUse,
    NoLecture,
    NoPrice,
    NoTexts,
    PriceTooHigh,
    PriceTooLow,
    PriceUneven,
    SectionInUse,
    SlugIsFixed,
    SlugTaken,
    UnknownCategory,
)
from server.catalog.models import CourseStatus, Level
from server.catalog.records import CourseDraft, CourseQuery, LectureDraft
from server.clock import now
from server.database.session import current_session, release, transaction
from server.errors import NotFound
from server.playback.models import Play
from server.settings import Settings, configure
from server.tokens import new_id
from tests.factories import TESTER, category, course, stock

pytestmark = pytest.mark.usefixtures("session")

VIDEO = LectureDraft({"en": "Opening"}, "hBftp9d6", 70, is_preview=False)


async def draft(slug: str = "new-course", **changes: object) -> CourseDraft:
    await stock()
    return replace(
        CourseDraft(
            slug=slug,
            category_id=(await category("kitchen")).id,
            level=Level.BEGINNER,
            title={"ko": "새 강좌"},
            promise={"ko": "약속이에요."},
            description={"ko": "설명이에요."},
            learn=[],
            teacher_name={"ko": "서하나"},
            teacher_bio={},
            questions=[],
            cover=catalog.COVER_FALLBACK,
            prices={"KRW": 33000},
        ),
        **changes,  # type: ignore[arg-type]
    )


async def test_a_course_goes_from_draft_to_catalog_to_archive() -> None:
    made = await catalog.create_course(TESTER, await draft())
    await catalog.add_section(TESTER, made.id, {"en": "Act one"})
    section = (await catalog.curriculum(made.id))[0]
    await catalog.add_lecture(TESTER, made.id, section.id, VIDEO)
    published = await catalog.publish(TESTER, made.id)

    assert published.published_at is not None
    assert (published.lecture_count, published.duration_s) == (1, 70)
    assert (await catalog.find(CourseQuery(words=("강좌",)), "KRW", 1)).total == 1
    assert (await catalog.archive(TESTER, made.id)).status is CourseStatus.ARCHIVED
    assert (await catalog.find(CourseQuery(), "KRW", 1)).total == 0
    with pytest.raises(NotFound):
        await catalog.get_published("new-course")
    again = await catalog.publish(TESTER, made.id)
    assert again.published_at == published.published_at


@pytest.mark.parametrize(
    ("currency", "amount", "refusal"),
    [
        ("KRW", 999, PriceTooLow),
        ("USD", 49, PriceTooLow),
        ("JPY", 0, PriceTooLow),
        ("USD", 100_000_000, PriceTooHigh),
        ("EUR", 3300, CurrencyNotOffered),
    ],
)
async def test_a_price_that_stripe_would_refuse_is_refused_when_it_is_set(
    currency: str, amount: int, refusal: type[CatalogError]
) -> None:
    await stock(course("knife", prices={"KRW": 33000}))
    knife = await catalog.get_any("knife")
    with pytest.raises(refusal):
        await catalog.edit_course(TESTER, knife.id, await draft("knife", prices={currency: amount}))
    assert [(price.currency, price.amount) for price in (await catalog.get_any("knife")).prices] == [
        ("KRW", 33000)
    ]


@pytest.mark.parametrize(
    ("currency", "refused", "refusal", "accepted"),
    [
        ("ISK", 150_050, PriceUneven, 150_000),
        ("ISK", 9_900, PriceTooLow, 10_000),
        ("UGX", 1_000_001, PriceUneven, 1_000_000),
        ("KWD", 3301, PriceUneven, 3300),
        ("KWD", 190, PriceTooLow, 200),
    ],
)
async def test_currencies_that_stripe_counts_in_its_own_way(
    currency: str, refused: int, refusal: type[CatalogError], accepted: int, settings: Settings
) -> None:
    """Three decimals of which the last must be 0; two decimals that must be 00."""
    await stock(course("knife", prices={"KRW": 33000}))
    knife = await catalog.get_any("knife")
    configure(Settings.model_validate({**settings.model_dump(), "currencies": f"KRW,{currency}"}))
    try:
        with pytest.raises(refusal):
            await catalog.edit_course(TESTER, knife.id, await draft("knife", prices={currency: refused}))
        await catalog.edit_course(TESTER, knife.id, await draft("knife", prices={currency: accepted}))
        found = await catalog.get_any("knife")
    finally:
        configure(settings)
    assert {price.currency: price.amount for price in found.prices}[currency] == accepted


@pytest.mark.parametrize(
    ("currency", "amount", "refusal"),
    [
        ("KRW", 999, PriceTooLow),
        ("SEK", 299, PriceTooLow),
        ("USD", 100_000_000, PriceTooHigh),
        ("KWD", 3301, PriceUneven),
        ("XAU", 3300, CurrencyNotOffered),
    ],
)
async def test_a_catalog_with_a_price_that_stripe_would_refuse_is_not_taken_in(
    currency: str, amount: int, refusal: type[CatalogError]
) -> None:
    with pytest.raises(refusal):
        await stock(course("fork"), course("knife", prices={"KRW": 33000, currency: amount}))
    with pytest.raises(NotFound):
        await catalog.get_any("fork")


async def test_the_refusal_of_a_price_names_the_smallest_amount() -> None:
    assert "₩1,000" in PriceTooLow("KRW").text
    assert "$0.50" in PriceTooLow("USD").text
    assert "ISK1.00" in PriceUneven("ISK").text


async def test_two_courses_cannot_share_a_slug() -> None:
    first = await catalog.create_course(TESTER, await draft("one"))
    second = await catalog.create_course(TESTER, await draft("two"))
    with pytest.raises(SlugTaken):
        await catalog.create_course(TESTER, await draft("one"))
    with pytest.raises(SlugTaken):
        await catalog.edit_course(TESTER, second.id, await draft("one"))
    assert (await catalog.get_any("one")).id == first.id
    assert (await catalog.get_any("two")).id == second.id


async def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(UnknownCategory):
        await catalog.create_course(TESTER, await draft(category_id="nowhere"))


async def test_an_edit_replaces_texts_and_takes_prices_away() -> None:
    made = await catalog.create_course(TESTER, await draft(prices={"KRW": 33000, "USD": 3300}))
    edited = await catalog.edit_course(
        TESTER, made.id, await draft(title={"en": "Renamed"}, prices={"USD": 4400})
    )
    assert edited.title == {"en": "Renamed"}
    assert [(price.currency, price.amount) for price in edited.prices] == [("USD", 4400)]
    await release()
    assert (await catalog.get_any("new-course")).title == {"en": "Renamed"}


async def test_a_course_lacking_something_is_not_published() -> None:
    made = await catalog.create_course(TESTER, await draft(prices={}))
    with pytest.raises(NoPrice):
        await catalog.publish(TESTER, made.id)
    await catalog.edit_course(TESTER, made.id, await draft(promise={}))
    with pytest.raises(NoLecture):
        await catalog.publish(TESTER, made.id)
    await catalog.add_section(TESTER, made.id, {"en": "Act one"})
    section = (await catalog.curriculum(made.id))[0]
    await catalog.add_lecture(TESTER, made.id, section.id, replace(VIDEO, media_content_key=""))
    with pytest.raises(NoLecture):
        await catalog.publish(TESTER, made.id)
    lecture = (await catalog.curriculum(made.id))[0].lectures[0]
    await catalog.edit_lecture(TESTER, made.id, lecture.id, section.id, VIDEO)
    with pytest.raises(NoTexts):
        await catalog.publish(TESTER, made.id)
    assert (await catalog.get_any("new-course")).status is CourseStatus.DRAFT


async def test_a_published_course_cannot_lose_what_buyers_need() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    with pytest.raises(NoPrice):
        await catalog.edit_course(TESTER, knife.id, await draft("knife", prices={}))
    for lecture in (await catalog.curriculum(knife.id))[0].lectures[1:]:
        await catalog.delete_lecture(TESTER, knife.id, lecture.id)
    with pytest.raises(NoLecture):
        await catalog.delete_lecture(TESTER, knife.id, (await catalog.curriculum(knife.id))[0].lectures[0].id)
    assert (await catalog.get_any("knife")).lecture_count == 1


async def test_the_address_of_a_course_that_was_published_stays() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    with pytest.raises(SlugIsFixed):
        await catalog.edit_course(TESTER, knife.id, await draft("knives"))


async def test_sections_and_lectures_move_one_place_and_stop_at_the_ends() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    await catalog.add_section(TESTER, knife.id, {"en": "Act two"})

    async def sections() -> list[str]:
        return [section.title["en"] for section in await catalog.curriculum(knife.id)]

    first, second = await catalog.curriculum(knife.id)
    await catalog.move_section(TESTER, knife.id, second.id, -1)
    assert await sections() == ["Act two", "Act one"]
    await catalog.move_section(TESTER, knife.id, second.id, -1)
    assert await sections() == ["Act two", "Act one"]
    await catalog.move_lecture(TESTER, knife.id, first.lectures[0].id, 1)
    titles = [lecture.title["en"] for lecture in (await catalog.curriculum(knife.id))[1].lectures]
    assert titles == ["Behind the curtain", "Opening"]


async def test_a_lecture_changes_its_section_and_the_course_its_length() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    await catalog.add_section(TESTER, knife.id, {"en": "Act two"})
    first, second = await catalog.curriculum(knife.id)
    await catalog.edit_lecture(
        TESTER, knife.id, first.lectures[0].id, second.id, replace(VIDEO, duration_s=100)
    )
    assert [len(section.lectures) for section in await catalog.curriculum(knife.id)] == [1, 1]
    assert (await catalog.get_any("knife")).duration_s == 170


async def test_a_lecture_that_was_played_stays() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    lecture = (await catalog.curriculum(knife.id))[0].lectures[1]
    async with transaction():
        current_session().add(Play(id=new_id(), lecture_id=lecture.id, cuid="p-1", created_at=now()))
    with pytest.raises(LectureInUse):
        await catalog.delete_lecture(TESTER, knife.id, lecture.id)
    assert await catalog.get_lecture(lecture.id) is not None


async def test_a_section_with_lectures_stays() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    await catalog.add_section(TESTER, knife.id, {"en": "Empty"})
    first, empty = await catalog.curriculum(knife.id)
    with pytest.raises(SectionInUse):
        await catalog.delete_section(TESTER, knife.id, first.id)
    await catalog.delete_section(TESTER, knife.id, empty.id)
    assert [section.id for section in await catalog.curriculum(knife.id)] == [first.id]


async def test_parts_of_another_course_are_not_found() -> None:
    await stock(course("knife"), course("bread"))
    knife, bread = await catalog.get_any("knife"), await catalog.get_any("bread")
    foreign = (await catalog.curriculum(bread.id))[0]
    for act in (
        catalog.delete_section(TESTER, knife.id, foreign.id),
        catalog.rename_section(TESTER, knife.id, foreign.id, {"en": "Mine"}),
        catalog.move_section(TESTER, knife.id, foreign.id, 1),
        catalog.add_lecture(TESTER, knife.id, foreign.id, VIDEO),
        catalog.delete_lecture(TESTER, knife.id, foreign.lectures[0].id),
        catalog.move_lecture(TESTER, knife.id, foreign.lectures[0].id, 1),
        catalog.edit_lecture(TESTER, knife.id, foreign.lectures[0].id, foreign.id, VIDEO),
    ):
        with pytest.raises(NotFound):
            await act


async def test_importing_again_changes_nothing() -> None:
    await stock(course("knife"))
    knife = await catalog.get_any("knife")
    await catalog.edit_course(TESTER, knife.id, await draft("knife"))
    await stock(course("knife"), course("bread"))
    assert (await catalog.get_any("knife")).title == {"ko": "새 강좌"}
    assert len(await catalog.curriculum(knife.id)) == 1
    assert await catalog.published_slugs() == ["bread", "knife"]
