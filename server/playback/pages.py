"""What the pages of a viewer show: the shelf, and the players that are opened for her."""

from datetime import datetime

from server.access import service as access
from server.access.records import GrantRecord, Standing, Viewer
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, LectureRecord, SectionRecord
from server.clock import now
from server.database.session import in_transaction
from server.errors import NotFound, PlaybillError
from server.i18n import current_locale, pick
from server.integrations.gateways import gateways
from server.playback import repository
from server.playback.records import PreviewPage, Programme, ProgrammeLecture, ShelfItem, WatchPage, opened_at
from server.playback.service import course_progress, progress_of
from server.playback.tickets import ticket_of
from server.playback.watched import Watched, resume_at
from server.tokens import new_id


class NoGrant(NotFound):
    """The course is for sale and this viewer has no open grant: the view leads to the course page."""


class HasGrant(PlaybillError):
    """The viewer owns what was asked for as a preview: the view leads to the watch page."""


async def watch_page(viewer: Viewer, slug: str, lecture_id: str) -> WatchPage:
    """Open a player for a lecture; NoGrant or NotFound for who may not watch it."""
    course = await catalog.get_any(slug)
    sections = await catalog.curriculum(course.id)
    lecture = next((one for one in _lectures(sections) if one.id == lecture_id), None)
    if lecture is None:
        raise NotFound
    permission = await access.may_watch(viewer, lecture)
    if permission.grant is None:
        raise _turned_away(course)
    progress = await progress_of(viewer.ids, [one.id for one in _lectures(sections)])
    watched = progress[lecture.id].watched if lecture.id in progress else Watched()
    holder = permission.grant.viewer_id
    programme = Programme.of(course, sections, progress)
    shown, next_lecture = programme.around(lecture.id)
    return WatchPage(
        course=programme,
        lecture=shown,
        next_lecture=next_lecture,
        progress=watched,
        player_url=await _open_player(
            lecture,
            viewer_id=holder,
            cuid=f"{'u' if holder == viewer.account_id else 'o'}-{holder}",
            start_s=resume_at(watched, lecture.duration_s),
        ),
    )


async def preview_page(viewer: Viewer, slug: str, lecture_id: str) -> PreviewPage:
    """Open a player for a free preview, of which no progress is kept; HasGrant for who owns the course."""
    course = await catalog.get_published(slug)
    lecture = await catalog.get_lecture(lecture_id)
    if lecture is None or lecture.course_id != course.id or not lecture.is_preview:
        raise NotFound
    if (await access.may_watch(viewer, lecture)).grant is not None:
        raise HasGrant
    return PreviewPage(
        course=course,
        lecture=ProgrammeLecture.of(lecture, {}),
        player_url=await _open_player(lecture, viewer_id=None, cuid=None, start_s=0),
    )


async def lecture_to_continue(viewer: Viewer, slug: str) -> str:
    """The lecture last watched if it is unfinished, else the first unfinished one, else the first.

    One that is coming only where nothing else is there.
    """
    course = await catalog.get_any(slug)
    if course.id not in await access.open_course_ids(viewer, [course.id]):
        raise _turned_away(course)
    lectures = _lectures(await catalog.curriculum(course.id))
    lecture_ids = [one.id for one in lectures if not one.is_coming] or [one.id for one in lectures]
    if not lecture_ids:
        raise NotFound
    progress = await progress_of(viewer.ids, lecture_ids)
    unfinished = [one for one in lecture_ids if one not in progress or not progress[one].completed]
    last = max(progress.values(), key=lambda one: one.watched.moment, default=None)
    if last is not None and last.lecture_id in unfinished:
        return last.lecture_id
    return (unfinished or lecture_ids)[0]


async def shelf(viewer: Viewer) -> list[ShelfItem]:
    """The viewer's courses, last opened first; one whose payment is disputed is told as suspended."""
    grants = [grant for one in viewer.ids for grant in await access.grants_of(one)]
    best = _best_grants(grants, now())
    courses = await catalog.titles(best)
    progress = await course_progress(viewer.ids)
    items = [
        ShelfItem(courses[course_id], grant, progress.get(course_id)) for course_id, grant in best.items()
    ]
    return sorted(items, key=lambda item: opened_at(item.grant, item.progress), reverse=True)


def _best_grants(grants: list[GrantRecord], at: datetime) -> dict[str, GrantRecord]:
    """By course: the grant that opens it, else one that is suspended."""
    told = [one for one in grants if one.standing(at) in (Standing.ACTIVE, Standing.SUSPENDED)]
    told.sort(
        key=lambda one: one.standing(at) is Standing.ACTIVE
    )  # the last of a course is the one that counts
    return {grant.course_id: grant for grant in told}


def _turned_away(course: CourseRecord) -> NotFound:
    return NoGrant() if course.is_published else NotFound()


def _lectures(sections: list[SectionRecord]) -> list[LectureRecord]:
    return [lecture for section in sections for lecture in section.lectures]


async def _open_player(
    lecture: LectureRecord, *, viewer_id: str | None, cuid: str | None, start_s: int
) -> str | None:
    """Write the play down and make its player's address; None if the lecture has no video yet.

    `viewer_id` and `cuid` are None for a preview: it gets a name of its own, so nobody can be told by it.
    """
    if not lecture.media_content_key:
        return None
    play_id = new_id()
    told = cuid or f"p-{play_id}"
    await in_transaction(repository.add_play, play_id, viewer_id, lecture.id, told, now())
    return gateways().kollus.player_url(
        media_content_key=lecture.media_content_key,
        cuid=told,
        start_s=start_s,
        title=pick(lecture.title),
        # The language in which a refusal is to be told: the callback comes without the viewer's cookies.
        user_values={"uservalue0": ticket_of(play_id), "uservalue1": current_locale()},
        watermark=cuid,
    )
