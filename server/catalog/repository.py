"""The SQL of courses and categories. A course comes with its category and prices from one statement."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Row, Select, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, load_only

from server.catalog.models import Category, Course, CourseStatus, Lecture, Price
from server.catalog.records import CategoryRecord, CourseDraft, CourseRecord, PriceRecord, Texts
from server.clock import now
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once, upsert
from server.settings import settings
from server.tokens import new_id

AnySelect = Select[*tuple[Any, ...]]

COURSES: FromClause = Course.__table__
PUBLISHED = COURSES.c.status == CourseStatus.PUBLISHED


@cache
def price_table(currency: str) -> FromClause:
    """The price table once more for this currency; made once, so that statements stay cached."""
    return Price.__table__.alias(f"price_{currency.lower()}")


def offered_currencies() -> tuple[str, ...]:
    return tuple(settings().currency_list)


def with_prices(statement: AnySelect, codes: tuple[str, ...]) -> AnySelect:
    """Add the price in each currency of the site: a key look-up each, and no second statement."""
    statement = statement.add_columns(*(price_table(code).c.amount.label(code) for code in codes))
    for code in codes:
        price = price_table(code)
        statement = statement.outerjoin(
            price, (price.c.course_id == COURSES.c.id) & (price.c.currency == code)
        )
    return statement


def _prices(row: Row[Any]) -> list[PriceRecord]:
    amounts = row._mapping
    return [PriceRecord(code, amounts[code]) for code in offered_currencies() if amounts[code] is not None]


# --- reading


# Statements that every visitor asks with are put together once: it is a twentieth of the work for a page.


@cache
def _courses(codes: tuple[str, ...]) -> AnySelect:
    statement = select(Course).join(Course.category).options(contains_eager(Course.category))
    return with_prices(statement, codes)


async def _one_course(statement: AnySelect) -> CourseRecord | None:
    row = (await current_session().execute(statement)).first()
    return CourseRecord.of(row[0], prices=_prices(row)) if row else None


async def get_course(slug: str) -> CourseRecord | None:
    return await _one_course(_courses(offered_currencies()).where(Course.slug == slug))


async def get_course_by_id(course_id: str) -> CourseRecord | None:
    return await _one_course(_courses(offered_currencies()).where(Course.id == course_id))


async def list_courses() -> list[CourseRecord]:
    """For editors: every course without its long texts, drafts first, then the latest."""
    statement = _courses(offered_currencies()).options(_without_long_texts()).order_by(*_editors_order())
    rows = await current_session().execute(statement)
    return [CourseRecord.of(row[0], prices=_prices(row)) for row in rows]


async def courses_by_id(course_ids: Iterable[str]) -> dict[str, CourseRecord]:
    statement = (
        _courses(offered_currencies()).options(_without_long_texts()).where(Course.id.in_(list(course_ids)))
    )
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


async def list_categories() -> list[CategoryRecord]:
    rows = await current_session().scalars(select(Category).order_by(Category.position, Category.id))
    return [CategoryRecord.of(row) for row in rows]


async def sold_counts() -> dict[str, int]:
    rows = await current_session().execute(select(Course.id, Course.sold_count))
    return {row.id: row.sold_count for row in rows}


# --- writing


async def lock_course(course_id: str) -> CourseRecord | None:
    require_transaction()
    await current_session().execute(select(Course.id).where(Course.id == course_id).with_for_update())
    return await get_course_by_id(course_id)


async def add_category(slug: str, name: Texts, position: int) -> str | None:
    """The new category's id, or None if there is one of this slug."""
    category_id = new_id()
    values = {"id": category_id, "slug": slug, "name": name, "position": position}
    return category_id if await insert_once(Category, values) else None


async def add_course(
    draft: CourseDraft,
    search_text: str,
    *,
    status: CourseStatus = CourseStatus.DRAFT,
    published_at: datetime | None = None,
) -> str | None:
    """The new course's id, or None if the slug is taken. Prices are written on their own."""
    course_id, at = new_id(), now()
    row = {
        **_columns(draft),
        "id": course_id,
        "search_text": search_text,
        "status": status,
        "published_at": published_at,
        "created_at": at,
        "updated_at": at,
    }
    return course_id if await insert_once(Course, row) else None


async def replace_course(course_id: str, draft: CourseDraft, search_text: str) -> bool:
    """Everything but the prices as in `draft`; False, and nothing changed, if another course has the slug."""
    require_transaction()
    values = {**_columns(draft), "search_text": search_text, "updated_at": now()}
    try:
        async with current_session().begin_nested():
            await current_session().execute(update(Course).where(Course.id == course_id).values(values))
    except IntegrityError:
        same_slug = select(Course.id).where(Course.slug == draft.slug, Course.id != course_id)
        if await current_session().scalar(same_slug) is None:
            raise
        return False
    return True


def _columns(draft: CourseDraft) -> dict[str, Any]:
    return {one.name: getattr(draft, one.name) for one in fields(draft) if one.name != "prices"}


async def mark_published(course_id: str, at: datetime) -> None:
    """On sale; `at`: since when it counts as new."""
    values = {"status": CourseStatus.PUBLISHED, "published_at": at, "updated_at": now()}
    await changed(update(Course).where(Course.id == course_id).values(values))


async def take_off_sale(course_id: str, status: CourseStatus) -> None:
    """A draft again, or archived."""
    values = {"status": status, "updated_at": now()}
    await changed(update(Course).where(Course.id == course_id).values(values))


async def count_lectures(course_id: str) -> tuple[int, int]:
    """How many, and how many seconds they last in all; what is coming has no length."""
    length = case((Lecture.media_content_key != "", Lecture.duration_s), else_=0)
    lectures = select(func.count(), func.coalesce(func.sum(length), 0)).where(Lecture.course_id == course_id)
    count, duration_s = (await current_session().execute(lectures)).one()
    return count, int(duration_s)


async def recount(course_id: str) -> None:
    """Bring the course's count and length of lectures into line with its lectures."""
    count, duration_s = await count_lectures(course_id)
    values = {"lecture_count": count, "duration_s": duration_s, "updated_at": now()}
    await changed(update(Course).where(Course.id == course_id).values(values))


async def set_sold_counts(counts: Mapping[str, int]) -> None:
    require_transaction()
    # In one order, or two who count at the same time lock crosswise.
    rows = [{"id": course_id, "sold_count": count} for course_id, count in sorted(counts.items())]
    await current_session().execute(update(Course), rows)


async def add_prices(course_id: str, amounts: Mapping[str, int]) -> None:
    """The prices of a new course, in minor units by currency."""
    require_transaction()
    rows = [{"course_id": course_id, "currency": code, "amount": amount} for code, amount in amounts.items()]
    if rows:
        await current_session().execute(insert(Price), rows)


async def put_price(course_id: str, currency: str, amount: int) -> None:
    await upsert(Price, {"course_id": course_id, "currency": currency}, {"amount": amount})


async def drop_price(course_id: str, currency: str) -> None:
    await changed(delete(Price).where(Price.course_id == course_id, Price.currency == currency))
