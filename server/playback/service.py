"""Where viewers stand in what they watch; what a report adds to it and a claim moves."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from server.access.records import GrantRecord, Viewer
from server.catalog import service as catalog
from server.clock import now
from server.database.session import in_transaction, require_transaction
from server.playback import repository
from server.playback.records import CourseProgress, ProgressRecord, opened_at, percent_watched
from server.playback.watched import Watched


async def progress_of(viewer_ids: Sequence[str], lecture_ids: Collection[str]) -> dict[str, ProgressRecord]:
    """Progress by lecture; what an account and an order key saw of the same lecture is joined."""
    if not viewer_ids or not lecture_ids:
        return {}
    found: dict[str, ProgressRecord] = {}
    for record in await repository.list_progress(viewer_ids, lecture_ids):
        known = found.get(record.lecture_id)
        found[record.lecture_id] = known.joined(record) if known else record
    return found


async def course_progress(viewer_ids: Sequence[str]) -> dict[str, CourseProgress]:
    """By course id, of every course these viewers began; one statement."""
    if not viewer_ids:
        return {}
    by_course = defaultdict(list)
    for share in await repository.list_shares(viewer_ids):
        by_course[share.course_id].append(share)
    return {course_id: CourseProgress.of(shares) for course_id, shares in by_course.items()}


async def continuing(viewer: Viewer, grants: Iterable[GrantRecord]) -> dict[str, int]:
    """What these open grants of the viewer's open and she has not finished, in the order of her shelf.

    By course id, how many percent she has watched.
    """
    latest = {grant.course_id: grant for grant in grants}
    progress = await course_progress(viewer.ids) if latest else {}
    last_first = sorted(
        latest.values(), key=lambda grant: opened_at(grant, progress.get(grant.course_id)), reverse=True
    )
    percents = {grant.course_id: percent_watched(progress.get(grant.course_id)) for grant in last_first}
    return {course_id: percent for course_id, percent in percents.items() if percent < 100}


async def merge_progress(
    viewer_id: str, lecture_id: str, watched: Watched, completed_at: datetime | None = None
) -> None:
    """Join `watched` to what is known, under its row's lock."""
    require_transaction()
    known = await repository.lock_progress(viewer_id, [lecture_id])
    if not known:
        completed = _completed(watched, completed_at)
        if await repository.add_progress(viewer_id, lecture_id, watched, completed, now()):
            return
        known = await repository.lock_progress(viewer_id, [lecture_id])  # another report was first
    before = known[0]
    merged = before.watched.merged(watched)
    completed = _completed(merged, before.completed_at, completed_at)
    if (merged, completed) != (before.watched, before.completed_at):
        await repository.change_progress(before.id, merged, completed, now())


def _completed(watched: Watched, *known: datetime | None) -> datetime | None:
    """The first time at which the lecture was complete; once it was, it stays so."""
    times = [at for at in known if at is not None]
    return min(times, default=now() if watched.is_complete else None)


async def move_progress(from_viewer: str, to_viewer: str, course_ids: Collection[str]) -> None:
    """Move plays and progress of these courses to another viewer, joined to what is there.

    Plays come first: a report locks its play before its progress, so one that is under way is finished, and
    the next one finds the new viewer.
    """
    require_transaction()
    if from_viewer == to_viewer:
        return
    sections = [section for course_id in course_ids for section in await catalog.curriculum(course_id)]
    lecture_ids = [lecture.id for section in sections for lecture in section.lectures]
    if not lecture_ids:
        return
    await repository.move_plays(from_viewer, to_viewer, lecture_ids)
    for moving in await repository.lock_progress(from_viewer, lecture_ids):
        await repository.drop_progress(moving.id)
        await merge_progress(to_viewer, moving.lecture_id, moving.watched, moving.completed_at)


async def forget_previews() -> None:
    """Forget the previews of yesterday; no player of theirs can still ask."""
    await in_transaction(repository.forget_previews, now() - timedelta(days=1))
