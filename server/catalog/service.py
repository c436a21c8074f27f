"""What is sold: what visitors may see of it, and what editors do with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from server.catalog import repository
from server.catalog.covers import COVER_FALLBACK, covers
from server.catalog.errors import (
    CatalogError,
    CurrencyNotOffered,
    LectureInUse,
    NoLecture,
    NoPrice,
    NoTexts,
    SectionInUse,
    SlugIsFixed,
    SlugTaken,
    UnknownCategory,
)
from server.catalog.importing import import_catalog
from server.catalog.models import CourseStatus
from server.catalog.prices import check_price
from server.catalog.records import (
    CategoryRecord,
    CourseCard,
    CourseDraft,
    CourseQuery,
    CourseRecord,
    Home,
    LectureDraft,
    LectureRecord,
    PriceRecord,
    SectionRecord,
    Texts,
)
from server.catalog.search import search_text
from server.clock import now
from server.database.session import require_transaction, transaction
from server.errors import NotFound
from server.paging import Page
from server.settings import settings

__all__ = ["COVER_FALLBACK", "CatalogError", "covers", "import_catalog"]

PAGE_SIZE = 12
HOME_ROW = 4  # as many as stand side by side on a desk


# --- what visitors see


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
    return await repository.get_lecture(lecture_id)


async def curriculum(course_id: str) -> list[SectionRecord]:
    """Sections in their order, each with its lectures."""
    return await repository.curriculum(course_id)


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
    return await repository.find_cards(query, currency, page, PAGE_SIZE)


async def home(currency: str) -> Home:
    return await repository.home(currency, HOME_ROW)


async def cards(course_ids: Iterable[str], currency: str) -> dict[str, CourseCard]:
    """Cards by id of courses in whatever state: what somebody owns may have left the catalog."""
    wanted = set(course_ids)
    return await repository.cards_by_id(wanted, currency) if wanted else {}


def owned_marked(found: Iterable[CourseCard], owned: set[str]) -> list[CourseCard]:
    """The same cards, those of `owned` courses marked."""
    return [replace(card, owned=True) if card.id in owned else card for card in found]


# --- what editors do


async def all_courses() -> list[CourseRecord]:
    """Every course for the editors' table, without its long texts."""
    return await repository.list_courses()


async def create_course(draft: CourseDraft) -> CourseRecord:
    """A new draft."""
    async with transaction():
        course_id = await repository.add_course(**await _columns(draft))
        if course_id is None:
            raise SlugTaken
        await _set_prices(course_id, draft.prices)
        return await get_course_by_id(course_id)


async def edit_course(course_id: str, draft: CourseDraft) -> CourseRecord:
    """Replace texts, facts and prices; what is on sale must stay fit for sale."""
    async with transaction():
        course = await _lock(course_id)
        if draft.slug != course.slug and course.published_at is not None:
            raise SlugIsFixed
        if not await repository.change_course(course_id, **await _columns(draft)):
            raise SlugTaken
        await _set_prices(course_id, draft.prices)
        return await _checked(course_id)


async def _columns(draft: CourseDraft) -> dict[str, object]:
    category = next((one for one in await categories() if one.id == draft.category_id), None)
    if category is None:
        raise UnknownCategory
    texts = (draft.title, draft.promise, draft.teacher_name, category.name)
    return {**draft.columns(), "search_text": search_text(texts)}


async def _set_prices(course_id: str, prices: dict[str, int]) -> None:
    for currency in settings().currency_list:
        await set_price(course_id, currency, prices.get(currency))


async def set_price(course_id: str, currency: str, amount: int | None) -> None:
    """Set or, with None, take away the price in one currency.

    Raises what `check_price` raises: what Stripe would refuse is refused here, while the editor looks at it.
    """
    require_transaction()
    if currency not in settings().currency_list:
        raise CurrencyNotOffered(currency)
    if amount is None:
        await repository.drop_price(course_id, currency)
        return
    check_price(currency, amount)
    await repository.put_price(course_id, currency, amount)


async def publish(course_id: str) -> CourseRecord:
    """Put on sale; raises NotReady if it lacks what a buyer needs. The first time makes it *new*."""
    async with transaction():
        course = await _lock(course_id)
        await repository.change_course(
            course_id, status=CourseStatus.PUBLISHED, published_at=course.published_at or now()
        )
        return await _checked(course_id)


async def unpublish(course_id: str) -> CourseRecord:
    """Back to a draft: off the catalog; whoever owns it keeps watching."""
    return await _set_status(course_id, CourseStatus.DRAFT)


async def archive(course_id: str) -> CourseRecord:
    """Out of the catalog for good; whoever owns it keeps watching."""
    return await _set_status(course_id, CourseStatus.ARCHIVED)


async def _set_status(course_id: str, status: CourseStatus) -> CourseRecord:
    async with transaction():
        await _lock(course_id)
        await repository.change_course(course_id, status=status)
        return await get_course_by_id(course_id)


async def recount_sales(sold: Mapping[str, int]) -> None:
    """Bring "most popular" into line with purchases per course id; a course not named has none.

    A figure that is counted anew cannot drift, whatever was refunded or failed half-way.
    """
    stored = await repository.sold_counts()
    changed = {one: sold.get(one, 0) for one, count in stored.items() if count != sold.get(one, 0)}
    if changed:
        async with transaction():
            await repository.set_sold_counts(changed)


async def _lock(course_id: str) -> CourseRecord:
    if (course := await repository.lock_course(course_id)) is None:
        raise NotFound
    return course


async def _checked(course_id: str) -> CourseRecord:
    """The course as it is now; raises NotReady if it is on sale and lacks something. Ends every change."""
    course = await get_course_by_id(course_id)
    if not course.is_published:
        return course
    if not course.prices:
        raise NoPrice
    if not await repository.has_playable_lecture(course_id):
        raise NoLecture
    told = (course.title, course.promise, course.description, course.teacher_name)
    if not any(all(text.get(language) for text in told) for language in settings().locale_list):
        raise NoTexts
    return course


# --- sections and lectures; each act locks the course, so that two editors cannot interleave


async def get_section(course_id: str, section_id: str) -> SectionRecord:
    """A section of this course with its lectures."""
    found = next((one for one in await curriculum(course_id) if one.id == section_id), None)
    if found is None:
        raise NotFound
    return found


async def get_lecture_of(course_id: str, lecture_id: str) -> LectureRecord:
    lecture = await repository.get_lecture(lecture_id)
    if lecture is None or lecture.course_id != course_id:
        raise NotFound
    return lecture


async def add_section(course_id: str, title: Texts) -> None:
    """A new section at the end."""
    async with transaction():
        await _lock(course_id)
        await repository.add_section(course_id, _next_place(await curriculum(course_id)), title)


async def rename_section(course_id: str, section_id: str, title: Texts) -> None:
    async with transaction():
        await _lock(course_id)
        await get_section(course_id, section_id)
        await repository.change_section(section_id, title=title)


async def move_section(course_id: str, section_id: str, step: int) -> None:
    """One place up (-1) or down (1); at the end of the list nothing happens."""
    async with transaction():
        await _lock(course_id)
        ids = [section.id for section in await curriculum(course_id)]
        await repository.place_sections(_moved(ids, section_id, step))


async def delete_section(course_id: str, section_id: str) -> None:
    async with transaction():
        await _lock(course_id)
        await get_section(course_id, section_id)
        if not await repository.delete_section(section_id):
            raise SectionInUse


async def add_lecture(course_id: str, section_id: str, draft: LectureDraft) -> None:
    """A new lecture at the end of a section."""
    async with transaction():
        await _lock(course_id)
        section = await get_section(course_id, section_id)
        place = {"course_id": course_id, "section_id": section_id, "position": _next_place(section.lectures)}
        await repository.add_lectures([{**asdict(draft), **place}])
        await repository.recount(course_id)


async def edit_lecture(course_id: str, lecture_id: str, section_id: str, draft: LectureDraft) -> None:
    """Replace a lecture's facts; in another section it goes to that section's end."""
    async with transaction():
        await _lock(course_id)
        lecture = await get_lecture_of(course_id, lecture_id)
        section = await get_section(course_id, section_id)
        place = {} if lecture.section_id == section_id else {"position": _next_place(section.lectures)}
        await repository.change_lecture(lecture_id, section_id=section_id, **place, **asdict(draft))
        await repository.recount(course_id)
        await _checked(course_id)


async def move_lecture(course_id: str, lecture_id: str, step: int) -> None:
    """One place up (-1) or down (1) within its section; at the end nothing happens."""
    async with transaction():
        await _lock(course_id)
        lecture = await get_lecture_of(course_id, lecture_id)
        section = await get_section(course_id, lecture.section_id)
        await repository.place_lectures(_moved([one.id for one in section.lectures], lecture_id, step))


async def delete_lecture(course_id: str, lecture_id: str) -> None:
    """Raises LectureInUse if anybody has played it: its progress must not vanish."""
    async with transaction():
        await _lock(course_id)
        await get_lecture_of(course_id, lecture_id)
        if not await repository.delete_lecture(lecture_id):
            raise LectureInUse
        await repository.recount(course_id)
        await _checked(course_id)


def _next_place(rows: Sequence[SectionRecord] | Sequence[LectureRecord]) -> int:
    # Not their count: a deletion leaves a gap.
    return rows[-1].position + 1 if rows else 0


def _moved(ids: list[str], one: str, step: int) -> list[str]:
    if one not in ids:
        raise NotFound
    here = ids.index(one)
    there = min(max(here + step, 0), len(ids) - 1)
    ids.insert(there, ids.pop(here))
    return ids
