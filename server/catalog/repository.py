"""The only SQL of the catalog. A course comes with its category and prices from one statement."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, load_only

from server.catalog.models import Category, Course, CourseStatus, Lecture, Price, Section
from server.catalog.records import (
    CategoryRecord,
    CourseCard,
    CourseQuery,
    CourseRecord,
    Home,
    HomeRow,
    LectureRecord,
    PriceRecord,
    SectionRecord,
)
from server.clock import now
from server.database.base import Base
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once, upsert
from server.paging import Page
from server.settings import settings
from server.tokens import new_id

AnySelect = Select[*tuple[Any, ...]]

COURSES: FromClause = Course.__table__
CATEGORIES: FromClause = Category.__table__
CARD_COLUMNS = tuple(
    COURSES.c[name]
    for name in (
        *("id", "slug", "category_id", "level", "title", "promise"),
        *("teacher_name", "cover", "lecture_count", "duration_s"),
    )
)
PUBLISHED = COURSES.c.status == CourseStatus.PUBLISHED


@cache
def _price_in(currency: str) -> FromClause:
    """The price table once more for this currency; made once, so that statements stay cached."""
    return Price.__table__.alias(f"price_{currency.lower()}")


def _codes() -> tuple[str, ...]:
    return tuple(settings().currency_list)


def _with_prices(statement: AnySelect, codes: tuple[str, ...]) -> AnySelect:
    """Add the price in each currency of the site: a key look-up each, and no second statement."""
    statement = statement.add_columns(*(_price_in(code).c.amount.label(code) for code in codes))
    for code in codes:
        price = _price_in(code)
        statement = statement.outerjoin(
            price, (price.c.course_id == COURSES.c.id) & (price.c.currency == code)
        )
    return statement


def _prices(row: Row[Any]) -> list[PriceRecord]:
    amounts = row._mapping
    return [
        PriceRecord(code, amounts[code]) for code in settings().currency_list if amounts[code] is not None
    ]


# --- whole courses


# Statements that every visitor asks with are put together once: it is a twentieth of the work for a page.


@cache
def _courses(codes: tuple[str, ...]) -> AnySelect:
    statement = select(Course).join(Course.category).options(contains_eager(Course.category))
    return _with_prices(statement, codes)


async def _one_course(statement: AnySelect) -> CourseRecord | None:
    row = (await current_session().execute(statement)).first()
    return CourseRecord.of(row[0], prices=_prices(row)) if row else None


async def get_course(slug: str) -> CourseRecord | None:
    return await _one_course(_courses(_codes()).where(Course.slug == slug))


async def get_course_by_id(course_id: str) -> CourseRecord | None:
    return await _one_course(_courses(_codes()).where(Course.id == course_id))


async def list_courses() -> list[CourseRecord]:
    """For editors: every course without its long texts, drafts first, then the latest."""
    statement = _courses(_codes()).options(_without_long_texts()).order_by(*_editors_order())
    rows = await current_session().execute(statement)
    return [CourseRecord.of(row[0], prices=_prices(row)) for row in rows]


async def courses_by_id(course_ids: Iterable[str]) -> dict[str, CourseRecord]:
    statement = _courses(_codes()).options(_without_long_texts()).where(Course.id.in_(list(course_ids)))
    rows = await current_session().execute(statement)
    return {row[0].id: CourseRecord.of(row[0], prices=_prices(row)) for row in rows}


def _without_long_texts() -> Any:
    left_out = {"description", "learn", "questions", "search_text"}
    names = (column.name for column in COURSES.c if column.name not in left_out)
    return load_only(*(getattr(Course, name) for name in names))


def _editors_order() -> tuple[Any, ...]:
    return Course.published_at.is_not(None), Course.published_at.desc(), Course.id


async def published_slugs() -> list[str]:
    return list(await current_session().scalars(select(Course.slug).where(PUBLISHED).order_by(Course.slug)))


# --- cards


@cache
def _cards(codes: tuple[str, ...]) -> AnySelect:
    return _with_prices(select(*CARD_COLUMNS).select_from(COURSES), codes)


def _card(row: Row[Any], currency: str) -> CourseCard:
    values = dict(row._mapping)
    amounts = {code: values[code] for code in (currency, *settings().currency_list)}
    price = next((PriceRecord(code, amount) for code, amount in amounts.items() if amount is not None), None)
    return CourseCard(price=price, **{column.name: values[column.name] for column in CARD_COLUMNS})


async def find_cards(query: CourseQuery, currency: str, page: int, size: int) -> Page[CourseCard]:
    """One page of the published courses that fit, and how many there are, in one statement."""
    conditions = [PUBLISHED, *(COURSES.c.search_text.contains(word, autoescape=True) for word in query.words)]
    if query.category_id is not None:
        conditions.append(COURSES.c.category_id == query.category_id)
    if query.level is not None:
        conditions.append(COURSES.c.level == query.level)
    # Not a window function: the rows of the page come from an index, and only the count sees them all.
    total = select(func.count()).select_from(COURSES).where(*conditions).scalar_subquery()
    statement = (
        _cards(_codes())
        .add_columns(total.label("total"))
        .where(*conditions)
        .order_by(*_order(query.sort, currency))
        .limit(size)
        .offset((page - 1) * size)
    )
    rows = (await current_session().execute(statement)).all()
    return Page([_card(row, currency) for row in rows], rows[0].total if rows else 0, page, size)


def _order(sort: str, currency: str) -> tuple[Any, ...]:
    """Always unique by the id, so that no course stands on two pages or on none."""
    amount = _price_in(currency).c.amount
    if sort == "popular":
        return COURSES.c.sold_count.desc(), COURSES.c.id.desc()
    if sort == "price":
        return amount.is_(None), amount, COURSES.c.id
    if sort == "-price":
        return amount.is_(None), amount.desc(), COURSES.c.id
    return COURSES.c.published_at.desc(), COURSES.c.id.desc()


async def cards_by_id(course_ids: Iterable[str], currency: str) -> dict[str, CourseCard]:
    statement = _cards(_codes()).where(COURSES.c.id.in_(list(course_ids)))
    rows = await current_session().execute(statement)
    return {row.id: _card(row, currency) for row in rows}


@cache
def _bill(codes: tuple[str, ...], per_row: int) -> AnySelect:
    newest_first = (COURSES.c.published_at.desc(), COURSES.c.id.desc())
    ranked = (
        select(
            COURSES.c.id,
            func.row_number().over(partition_by=COURSES.c.category_id, order_by=newest_first).label("in_row"),
            func.row_number().over(order_by=newest_first).label("newest"),
            func.row_number().over(order_by=(COURSES.c.sold_count.desc(), *newest_first)).label("best"),
        )
        .where(PUBLISHED)
        .subquery("ranked")
    )
    return (
        _cards(codes)
        .join(ranked, ranked.c.id == COURSES.c.id)
        .join(CATEGORIES, CATEGORIES.c.id == COURSES.c.category_id)
        .add_columns(
            *(ranked.c[name] for name in ("in_row", "newest", "best")),
            CATEGORIES.c.slug.label("category_slug"),
            CATEGORIES.c.name.label("category_name"),
            CATEGORIES.c.position.label("category_position"),
        )
        .where((ranked.c.in_row <= per_row) | (ranked.c.newest <= per_row + 1) | (ranked.c.best == 1))
        .order_by(CATEGORIES.c.position, CATEGORIES.c.id, ranked.c.newest)
    )


async def home(currency: str, per_row: int) -> Home:
    """The best seller, the newest of the others and of each category, in one statement."""
    rows = (await current_session().execute(_bill(_codes(), per_row))).all()
    cards = [(row, _card(row, currency)) for row in rows]
    newest = sorted(cards, key=lambda pair: pair[0].newest)
    by_category: dict[str, HomeRow] = {}
    for row, card in cards:
        if row.in_row <= per_row:
            by_category.setdefault(card.category_id, HomeRow(_category(row), [])).courses.append(card)
    return Home(
        headline=next((card for row, card in cards if row.best == 1), None),
        newest=[card for row, card in newest if row.newest <= per_row + 1 and row.best != 1][:per_row],
        rows=list(by_category.values()),
    )


def _category(row: Row[Any]) -> CategoryRecord:
    return CategoryRecord(
        id=row.category_id, slug=row.category_slug, name=row.category_name, position=row.category_position
    )


# --- categories, sections, lectures


async def list_categories() -> list[CategoryRecord]:
    rows = await current_session().scalars(select(Category).order_by(Category.position, Category.id))
    return [CategoryRecord.of(row) for row in rows]


async def curriculum(course_id: str) -> list[SectionRecord]:
    statement = (
        select(Section)
        .outerjoin(Section.lectures)
        .options(contains_eager(Section.lectures))
        .where(Section.course_id == course_id)
        .order_by(Section.position, Section.id, Lecture.position, Lecture.id)
        # What an earlier read of this session left behind must not stand in for what is there now.
    )
    rows = await current_session().scalars(statement)
    return [SectionRecord.of(row) for row in rows.unique()]


async def get_lecture(lecture_id: str) -> LectureRecord | None:
    row = await current_session().scalar(select(Lecture).where(Lecture.id == lecture_id))
    return LectureRecord.of(row) if row else None


# --- writing


async def lock_course(course_id: str) -> CourseRecord | None:
    require_transaction()
    await current_session().execute(select(Course.id).where(Course.id == course_id).with_for_update())
    return await get_course_by_id(course_id)


async def add_category(slug: str, name: dict[str, str], position: int) -> bool:
    """False if there is one of this slug."""
    return await insert_once(Category, {"id": new_id(), "slug": slug, "name": name, "position": position})


async def add_course(**values: Any) -> str | None:
    """The new course's id, or None if the slug is taken."""
    course_id, at = new_id(), now()
    row = {
        "id": course_id,
        "status": CourseStatus.DRAFT,
        "created_at": at,
        "updated_at": at,
        **values,
    }
    return course_id if await insert_once(Course, row) else None


async def change_course(course_id: str, **values: Any) -> bool:
    """False, and nothing changed, if another course has the slug."""
    require_transaction()
    change = update(Course).where(Course.id == course_id).values(**values, updated_at=now())
    try:
        async with current_session().begin_nested():
            await current_session().execute(change)
    except IntegrityError:
        same_slug = select(Course.id).where(Course.slug == values.get("slug"), Course.id != course_id)
        if await current_session().scalar(same_slug) is None:
            raise
        return False
    return True


async def sold_counts() -> dict[str, int]:
    rows = await current_session().execute(select(Course.id, Course.sold_count))
    return {row.id: row.sold_count for row in rows}


async def set_sold_counts(counts: Mapping[str, int]) -> None:
    require_transaction()
    rows = [{"id": course_id, "sold_count": count} for course_id, count in counts.items()]
    await current_session().execute(update(Course), rows)


async def add_prices(course_id: str, amounts: Mapping[str, int]) -> None:
    """The prices of a new course."""
    require_transaction()
    rows = [{"course_id": course_id, "currency": code, "amount": amount} for code, amount in amounts.items()]
    if rows:
        await current_session().execute(insert(Price), rows)


async def put_price(course_id: str, currency: str, amount: int) -> None:
    await upsert(Price, {"course_id": course_id, "currency": currency}, {"amount": amount})


async def drop_price(course_id: str, currency: str) -> None:
    await changed(delete(Price).where(Price.course_id == course_id, Price.currency == currency))


async def add_section(course_id: str, position: int, title: dict[str, str]) -> str:
    require_transaction()
    section_id = new_id()
    values = {"id": section_id, "course_id": course_id, "position": position, "title": title}
    await current_session().execute(insert(Section).values(**values))
    return section_id


async def change_section(section_id: str, **values: Any) -> None:
    await changed(update(Section).where(Section.id == section_id).values(**values))


async def add_lectures(rows: Sequence[dict[str, Any]]) -> None:
    require_transaction()
    if rows:
        await current_session().execute(insert(Lecture), [{"id": new_id(), **row} for row in rows])


async def change_lecture(lecture_id: str, **values: Any) -> None:
    await changed(update(Lecture).where(Lecture.id == lecture_id).values(**values))


async def delete_section(section_id: str) -> bool:
    return await _delete(Section, section_id)


async def delete_lecture(lecture_id: str) -> bool:
    return await _delete(Lecture, lecture_id)


async def _delete(table: type[Section] | type[Lecture], row_id: str) -> bool:
    """False, and nothing changed, if other rows need this one: the foreign keys know them all."""
    require_transaction()
    try:
        async with current_session().begin_nested():
            await current_session().execute(delete(table).where(table.id == row_id))
    except IntegrityError:
        return False
    return True


async def place_sections(section_ids: Sequence[str]) -> None:
    """Give the sections the positions in which they stand here."""
    await _place(Section, section_ids)


async def place_lectures(lecture_ids: Sequence[str]) -> None:
    await _place(Lecture, lecture_ids)


async def _place(table: type[Base], ids: Sequence[str]) -> None:
    require_transaction()
    rows = [{"id": one, "position": position} for position, one in enumerate(ids)]
    if rows:
        await current_session().execute(update(table), rows)


async def recount(course_id: str) -> None:
    """Bring the course's count and length of lectures into line with its lectures."""
    lectures = select(func.count(), func.coalesce(func.sum(Lecture.duration_s), 0)).where(
        Lecture.course_id == course_id
    )
    count, duration_s = (await current_session().execute(lectures)).one()
    await change_course(course_id, lecture_count=count, duration_s=int(duration_s))


async def has_playable_lecture(course_id: str) -> bool:
    found = select(Lecture.id).where(Lecture.course_id == course_id, Lecture.media_content_key != "").limit(1)
    return await current_session().scalar(found) is not None
