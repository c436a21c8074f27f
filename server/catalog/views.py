"""The shop window: home, list and course page."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlencode

from sanic import Blueprint, HTTPResponse, Request

from server.access import service as access
from server.access.records import GrantRecord
from server.catalog import service as catalog
from server.catalog.models import Level
from server.catalog.records import CategoryRecord, CourseCard, CourseQuery, CourseRecord
from server.catalog.search import MAX_TYPED, words
from server.checkout import service as checkout
from server.errors import NotFound
from server.i18n import gettext, pick
from server.paging import page_number
from server.playback import service as playback
from server.playback.records import percent_watched
from server.web.audience import Audience, audience
from server.web.templating import page, redirect

bp = Blueprint("catalog")

SORTS = ("newest", "popular", "price", "-price")


@bp.get("/")
@audience(Audience.ALL)
async def home(request: Request) -> HTTPResponse:
    viewer, currency = request.ctx.viewer, request.ctx.currency
    bill = await catalog.home(currency)
    grants = await access.open_grants_of(viewer)
    owned = {grant.course_id for grant in grants}

    def shown(cards: Iterable[CourseCard]) -> list[CourseCard]:
        return catalog.owned_marked(cards, owned)

    continuing = await _continuing(request, grants)
    rows = [{"title": gettext("Newest"), "href": "/courses", "courses": shown(bill.newest)}]
    rows += [
        {
            "title": pick(row.category.name),
            "href": f"/courses?category={row.category.slug}",
            "courses": shown(row.courses),
        }
        for row in bill.rows
    ]
    return page(
        "catalog/home.html",
        continuing=continuing,
        headline=next(iter(shown([bill.headline] if bill.headline else [])), None),
        rows=[row for row in rows if row["courses"]],
    )


async def _continuing(request: Request, grants: list[GrantRecord]) -> list[CourseCard]:
    percents = await playback.continuing(request.ctx.viewer, grants)
    cards = await catalog.cards(percents, request.ctx.currency)
    return [
        replace(cards[course_id], owned=True, progress_percent=percent)
        for course_id, percent in percents.items()
    ]


@bp.get("/courses")
@audience(Audience.ALL)
async def course_list(request: Request) -> HTTPResponse:
    categories = await catalog.categories()
    chosen = _chosen(request, categories)
    number = page_number(request.args.get("page"))
    found = await catalog.find(_query(chosen, categories), request.ctx.currency, number)
    if number > 1 and not found.items:
        return redirect("/courses" + (f"?{urlencode(chosen)}" if chosen else ""))
    owned = await access.open_course_ids(request.ctx.viewer, [card.id for card in found.items])
    return page(
        "catalog/list.html",
        courses=catalog.owned_marked(found.items, owned),
        page=found,
        categories=categories,
        query=chosen,
        levels=Level,
    )


def _chosen(request: Request, categories: list[CategoryRecord]) -> dict[str, str]:
    """The filters that are set and make sense; anything else is as if it were not there."""
    given = {name: (request.args.get(name) or "").strip() for name in ("q", "category", "level", "sort")}
    offered = {
        "category": {category.slug for category in categories},
        "level": {level.value for level in Level},
        "sort": set(SORTS[1:]),
    }
    given["q"] = given["q"][:MAX_TYPED]
    return {name: value for name, value in given.items() if value and value in offered.get(name, {value})}


def _query(chosen: dict[str, str], categories: list[CategoryRecord]) -> CourseQuery:
    by_slug = {category.slug: category.id for category in categories}
    return CourseQuery(
        words=words(chosen.get("q", "")),
        category_id=by_slug.get(chosen.get("category", "")),
        level=Level(chosen["level"]) if "level" in chosen else None,
        sort=chosen.get("sort", SORTS[0]),
    )


@bp.get("/courses/<slug:str>")
@audience(Audience.ALL)
async def course_page(request: Request, slug: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    owned = bool(await access.open_course_ids(request.ctx.viewer, [course.id]))
    if not course.is_published:
        if owned:
            return redirect(f"/learn/{slug}")
        if not _is_editor(request):
            raise NotFound
    sections = await catalog.curriculum(course.id)
    lectures = [lecture for section in sections for lecture in section.lectures]
    progress_percent = await _percent_watched(request, course) if owned else 0
    claimed = not owned and await checkout.claimed_elsewhere(request.ctx.viewer, course.id)
    return page(
        "catalog/course.html",
        course=course,
        sections=sections,
        preview=next((one for one in lectures if one.is_preview and not one.is_coming), None),
        offer=catalog.price_in(course, request.ctx.currency),
        owned=owned,
        claimed=claimed,
        progress_percent=progress_percent,
    )


def _is_editor(request: Request) -> bool:
    return request.ctx.account is not None and request.ctx.account.is_editor


async def _percent_watched(request: Request, course: CourseRecord) -> int:
    progress = await playback.course_progress(request.ctx.viewer.ids)
    return percent_watched(progress.get(course.id))
