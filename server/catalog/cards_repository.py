"""The SQL of what visitors look through: lists, the home page, cards of courses."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Row, func, select

from server.catalog.models import Category
from server.catalog.records import CategoryRecord, CourseCard, CourseQuery, Home, HomeRow, PriceRecord
from server.catalog.repository import (
    COURSES,
    PUBLISHED,
    AnySelect,
    offered_currencies,
    price_table,
    with_prices,
)
from server.database.session import current_session
from server.paging import Page, offset_of

CATEGORIES: FromClause = Category.__table__
CARD_COLUMNS = tuple(
    COURSES.c[name]
    for name in (
        *("id", "slug", "category_id", "level", "title", "promise"),
        *("teacher_name", "cover", "lecture_count", "duration_s"),
    )
)


@cache
def _cards(codes: tuple[str, ...]) -> AnySelect:
    return with_prices(select(*CARD_COLUMNS).select_from(COURSES), codes)


def _card(row: Row[Any], currency: str) -> CourseCard:
    values = dict(row._mapping)
    amounts = {code: values[code] for code in (currency, *offered_currencies())}
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
        _cards(offered_currencies())
        .add_columns(total.label("total"))
        .where(*conditions)
        .order_by(*_order(query.sort, currency))
        .limit(size)
        .offset(offset_of(page, size))
    )
    rows = (await current_session().execute(statement)).all()
    return Page([_card(row, currency) for row in rows], rows[0].total if rows else 0, page, size)


def _order(sort: str, currency: str) -> tuple[Any, ...]:
    """Always unique by the id, so that no course stands on two pages or on none."""
    amount = price_table(currency).c.amount
    if sort == "popular":
        return COURSES.c.sold_count.desc(), COURSES.c.id.desc()
    if sort == "price":
        return amount.is_(None), amount, COURSES.c.id
    if sort == "-price":
        return amount.is_(None), amount.desc(), COURSES.c.id
    return COURSES.c.published_at.desc(), COURSES.c.id.desc()


async def cards_by_id(course_ids: Iterable[str], currency: str) -> dict[str, CourseCard]:
    statement = _cards(offered_currencies()).where(COURSES.c.id.in_(list(course_ids)))
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
    rows = (await current_session().execute(_bill(offered_currencies(), per_row))).all()
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
