"""What editors do with courses. Each act locks its course and is written down in its own transaction."""

from server.audit import service as audit
from server.audit.records import Actor
from server.catalog import programme_repository, repository
from server.catalog.errors import (
    CurrencyNotOffered,
    NoLecture,
    NoPrice,
    NoTexts,
    SlugIsFixed,
    SlugTaken,
    UnknownCategory,
)
from server.catalog.models import CourseStatus
from server.catalog.prices import check_price
from server.catalog.reading import categories, get_course_by_id
from server.catalog.records import CourseDraft, CourseRecord
from server.catalog.search import search_text
from server.catalog.telling import course_change, course_facts
from server.catalog.texts import course_with_kept_texts
from server.clock import now
from server.database.session import transactional
from server.errors import NotFound
from server.settings import settings


@transactional
async def create_course(actor: Actor, draft: CourseDraft) -> CourseRecord:
    """A new draft."""
    course_id = await repository.add_course(draft, await _search_text(draft))
    if course_id is None:
        raise SlugTaken
    await _set_prices(course_id, draft.prices)
    course = await get_course_by_id(course_id)
    await audit.note(actor, "course.create", "course", course_id, after=course_facts(course))
    return course


@transactional
async def edit_course(actor: Actor, course_id: str, draft: CourseDraft) -> CourseRecord:
    """Replace texts, facts and prices; what is on sale must stay fit for sale."""
    course = await locked(course_id)
    if draft.slug != course.slug and course.published_at is not None:
        raise SlugIsFixed
    draft = course_with_kept_texts(course, draft)
    if not await repository.replace_course(course_id, draft, await _search_text(draft)):
        raise SlugTaken
    await _set_prices(course_id, draft.prices)
    edited = await fit_for_sale(course_id)
    if change := course_change(course, edited):
        await audit.note(actor, "course.edit", "course", course_id, before=change[0], after=change[1])
    return edited


async def _search_text(draft: CourseDraft) -> str:
    category = next((one for one in await categories() if one.id == draft.category_id), None)
    if category is None:
        raise UnknownCategory
    return search_text((draft.title, draft.promise, draft.teacher_name, category.name))


async def _set_prices(course_id: str, prices: dict[str, int]) -> None:
    """Bring the prices in the currencies of the site into line with these.

    Raises what `check_price` raises: what Stripe would refuse is refused here, while the editor looks at it.
    """
    offered = settings().currency_list
    for currency, amount in prices.items():
        if currency not in offered:
            raise CurrencyNotOffered(currency)
        check_price(currency, amount)
    for currency in offered:
        if currency in prices:
            await repository.put_price(course_id, currency, prices[currency])
        else:
            await repository.drop_price(course_id, currency)


@transactional
async def publish(actor: Actor, course_id: str) -> CourseRecord:
    """Put on sale; raises NotReady if it lacks what a buyer needs. The first time makes it *new*."""
    course = await locked(course_id)
    await repository.mark_published(course_id, course.published_at or now())
    published = await fit_for_sale(course_id)
    await _note_status(actor, "course.publish", course, published)
    return published


async def unpublish(actor: Actor, course_id: str) -> CourseRecord:
    """Back to a draft: off the catalog; whoever owns it keeps watching."""
    return await _take_off_sale(actor, "course.unpublish", course_id, CourseStatus.DRAFT)


async def archive(actor: Actor, course_id: str) -> CourseRecord:
    """Out of the catalog for good; whoever owns it keeps watching."""
    return await _take_off_sale(actor, "course.archive", course_id, CourseStatus.ARCHIVED)


@transactional
async def _take_off_sale(actor: Actor, act: str, course_id: str, status: CourseStatus) -> CourseRecord:
    course = await locked(course_id)
    await repository.take_off_sale(course_id, status)
    taken_off = await get_course_by_id(course_id)
    await _note_status(actor, act, course, taken_off)
    return taken_off


async def _note_status(actor: Actor, act: str, before: CourseRecord, after: CourseRecord) -> None:
    if before.status is not after.status:
        told = {"status": before.status.value}, {"status": after.status.value}
        await audit.note(actor, act, "course", after.id, before=told[0], after=told[1])


# --- for acts on the program too


async def locked(course_id: str) -> CourseRecord:
    """Lock a course, so that two editors cannot interleave."""
    if (course := await repository.lock_course(course_id)) is None:
        raise NotFound
    return course


async def fit_for_sale(course_id: str) -> CourseRecord:
    """The course as it is now; raises NotReady if it is on sale and lacks something. Ends every change."""
    course = await get_course_by_id(course_id)
    if not course.is_published:
        return course
    if not course.prices:
        raise NoPrice
    if not await programme_repository.has_playable_lecture(course_id):
        raise NoLecture
    told = (course.title, course.promise, course.description, course.teacher_name)
    if not any(all(text.get(language) for text in told) for language in settings().locale_list):
        raise NoTexts
    return course
