"""What is sold, for whoever asks: courses, cards, the home page, the program of a course."""

from collections.abc import Iterable
from dataclasses import replace

from server.catalog import cards_repository, programme_repository, repository
from server.catalog.records import (
    CategoryRecord,
    CourseCard,
    CourseQuery,
    CourseRecord,
    Home,
    LectureRecord,
    PriceRecord,
    SectionRecord,
)
from server.errors import NotFound
from server.paging import Page

PAGE_SIZE = 12
HOME_ROW = 4  # as many as stand side by side on a desk


async def get_any(slug: str) -> CourseRecord:
    """A course in whatever state, with category and prices; who may see it is the caller's question."""
    if (course := await repository.get_course(slug)) is None:
        raise NotFound
    return course


async def get_published(slug: str) -> CourseRecord:
    course = await get_any(slug)
    if not course.is_published:
        raise NotFound
    return course


async def course_for_sale(slug: str) -> CourseRecord:
    """A published course that has a price."""
    course = await get_published(slug)
    if not course.prices:
        raise NotFound
    return course


async def get_course_by_id(course_id: str) -> CourseRecord:
    if (course := await repository.get_course_by_id(course_id)) is None:
        raise NotFound
    return course


async def get_lecture(lecture_id: str) -> LectureRecord | None:
    return await programme_repository.get_lecture(lecture_id)


async def curriculum(course_id: str) -> list[SectionRecord]:
    """Sections in their order, each with its lectures."""
    return await programme_repository.curriculum(course_id)


def price_in(course: CourseRecord, currency: str) -> PriceRecord | None:
    """The price in `currency`, else in the first currency of the site that the course has."""
    by_currency = {price.currency: price for price in course.prices}
    return by_currency.get(currency) or next(iter(course.prices), None)


async def published_slugs() -> list[str]:
    return await repository.published_slugs()


async def titles(course_ids: Iterable[str]) -> dict[str, CourseRecord]:
    """Courses by id, in whatever state, without description, learning points and questions."""
    wanted = set(course_ids)
    return await repository.courses_by_id(wanted) if wanted else {}


async def categories() -> list[CategoryRecord]:
    return await repository.list_categories()


async def find(query: CourseQuery, currency: str, page: int) -> Page[CourseCard]:
    """One page of the published courses that fit, with the price that a visitor of `currency` pays."""
    return await cards_repository.find_cards(query, currency, page, PAGE_SIZE)


async def home(currency: str) -> Home:
    return await cards_repository.home(currency, HOME_ROW)


async def cards(course_ids: Iterable[str], currency: str) -> dict[str, CourseCard]:
    """Cards by id of courses in whatever state: what somebody owns may have left the catalog."""
    wanted = set(course_ids)
    return await cards_repository.cards_by_id(wanted, currency) if wanted else {}


def owned_marked(found: Iterable[CourseCard], owned: set[str]) -> list[CourseCard]:
    """The same cards, those of `owned` courses marked."""
    return [replace(card, owned=True) if card.id in owned else card for card in found]


async def all_courses() -> list[CourseRecord]:
    """Every course, in whatever state, without its long texts."""
    return await repository.list_courses()
