"""What other domains may ask of the catalog. Each act lives in the room that it is named by:

`reading` (what there is), `editing` (courses), `programme` (their sections and lectures), `importing`.
"""

from collections.abc import Mapping

from server.catalog import repository
from server.catalog.covers import COVER_FALLBACK, covers
from server.catalog.editing import archive, create_course, edit_course, publish, unpublish
from server.catalog.errors import CatalogError
from server.catalog.importing import import_catalog
from server.catalog.programme import (
    add_lecture,
    add_section,
    delete_lecture,
    delete_section,
    edit_lecture,
    get_lecture_of,
    get_section,
    move_lecture,
    move_section,
    rename_section,
)
from server.catalog.reading import (
    all_courses,
    cards,
    categories,
    course_for_sale,
    curriculum,
    find,
    get_any,
    get_course_by_id,
    get_lecture,
    get_published,
    home,
    owned_marked,
    price_in,
    published_slugs,
    titles,
)
from server.database.session import transaction

__all__ = [
    "COVER_FALLBACK",
    "CatalogError",
    "add_lecture",
    "add_section",
    "all_courses",
    "archive",
    "cards",
    "categories",
    "course_for_sale",
    "covers",
    "create_course",
    "curriculum",
    "delete_lecture",
    "delete_section",
    "edit_course",
    "edit_lecture",
    "find",
    "get_any",
    "get_course_by_id",
    "get_lecture",
    "get_lecture_of",
    "get_published",
    "get_section",
    "home",
    "import_catalog",
    "move_lecture",
    "move_section",
    "owned_marked",
    "price_in",
    "publish",
    "published_slugs",
    "rename_section",
    "titles",
    "unpublish",
]


async def recount_sales(sold: Mapping[str, int]) -> None:
    """Bring "most popular" into line with purchases per course id; a course not named has none.

    A figure that is counted anew cannot drift, whatever was refunded or failed half-way.
    """
    stored = await repository.sold_counts()
    changed = {one: sold.get(one, 0) for one, count in stored.items() if count != sold.get(one, 0)}
    if changed:
        async with transaction():
            await repository.set_sold_counts(changed)
