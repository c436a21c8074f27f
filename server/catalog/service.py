"""What other domains may ask of the catalog. Each act lives in the room that it is named by:

`reading` (what there is), `editing` (courses), `programme` (their sections and lectures), `importing`,
`counting` (figures that are stored with a course).
"""

from server.catalog.counting import course_ids, recount_course, recount_sales
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
    "course_ids",
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
    "recount_course",
    "recount_sales",
    "rename_section",
    "titles",
    "unpublish",
]
