"""The only SQL on plays and progress."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from server.catalog.models import Course, Lecture
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once
from server.playback.models import Play, Progress
from server.playback.records import LectureShare, PlayRecord, ProgressRecord
from server.playback.watched import Watched, seen_from_text
from server.tokens import new_id

# --- plays


async def add_play(play_id: str, viewer_id: str | None, lecture_id: str, cuid: str, at: datetime) -> None:
    """`viewer_id` None: of a free preview."""
    require_transaction()
    play = Play(id=play_id, viewer_id=viewer_id, lecture_id=lecture_id, cuid=cuid, created_at=at)
    current_session().add(play)
    await current_session().flush()


async def forget_previews(before: datetime) -> None:
    """Delete openings of free previews: nothing is kept of them, and anybody can make many."""
    await changed(delete(Play).where(Play.viewer_id.is_(None), Play.created_at < before))


async def get_play(play_id: str) -> PlayRecord | None:
    row = await current_session().scalar(select(Play).where(Play.id == play_id))
    return PlayRecord.of(row) if row else None


async def lock_play(play_id: str) -> PlayRecord | None:
    require_transaction()
    row = await current_session().scalar(select(Play).where(Play.id == play_id).with_for_update())
    return PlayRecord.of(row) if row else None


async def keep_figures(play: PlayRecord, reported_at: datetime) -> None:
    """Store the start, the times and the position of this play as they stand in its record."""
    await changed(
        update(Play)
        .where(Play.id == play.id)
        .values(
            started_at=play.started_at,
            playtime_s=play.playtime_s,
            real_playtime_s=play.real_playtime_s,
            runtime_s=play.runtime_s,
            showtime_s=play.showtime_s,
            last_position_s=play.last_position_s,
            reported_at=reported_at,
        )
    )


async def move_plays(from_viewer: str, to_viewer: str, lecture_ids: Collection[str]) -> None:
    await changed(
        update(Play)
        .where(Play.viewer_id == from_viewer, Play.lecture_id.in_(lecture_ids))
        .values(viewer_id=to_viewer)
    )


# --- progress


def _record(row: Progress) -> ProgressRecord:
    watched = Watched(
        seen=seen_from_text(row.seen),
        furthest_s=row.furthest_s,
        last_position_s=row.last_position_s,
        last_at=(row.position_start_at, row.position_runtime_s),
    )
    return ProgressRecord.of(row, watched=watched)


def _columns(watched: Watched, completed_at: datetime | None, at: datetime) -> dict[str, Any]:
    start_at, runtime_s = watched.last_at
    return {
        "seen": watched.seen_text(),
        "percent": watched.percent,
        "furthest_s": watched.furthest_s,
        "last_position_s": watched.last_position_s,
        "position_start_at": start_at,
        "position_runtime_s": runtime_s,
        "completed_at": completed_at,
        "updated_at": at,
    }


async def list_progress(viewer_ids: Collection[str], lecture_ids: Collection[str]) -> list[ProgressRecord]:
    found = select(Progress).where(Progress.viewer_id.in_(viewer_ids), Progress.lecture_id.in_(lecture_ids))
    return [_record(row) for row in await current_session().scalars(found)]


async def lock_progress(viewer_id: str, lecture_ids: Collection[str]) -> list[ProgressRecord]:
    require_transaction()
    found = (
        select(Progress)
        .where(Progress.viewer_id == viewer_id, Progress.lecture_id.in_(lecture_ids))
        .order_by(Progress.lecture_id)  # everybody locks in the same order
        .with_for_update()
    )
    return [_record(row) for row in await current_session().scalars(found)]


async def add_progress(
    viewer_id: str, lecture_id: str, watched: Watched, completed_at: datetime | None, at: datetime
) -> bool:
    """False if there is progress of this viewer in this lecture already."""
    key = {"id": new_id(), "viewer_id": viewer_id, "lecture_id": lecture_id}
    return await insert_once(Progress, key | _columns(watched, completed_at, at))


async def change_progress(
    progress_id: str, watched: Watched, completed_at: datetime | None, at: datetime
) -> None:
    await changed(
        update(Progress).where(Progress.id == progress_id).values(**_columns(watched, completed_at, at))
    )


async def drop_progress(progress_id: str) -> None:
    """For a row that has been merged into another one."""
    await changed(delete(Progress).where(Progress.id == progress_id))


async def list_shares(viewer_ids: Sequence[str]) -> list[LectureShare]:
    """Every lecture that these viewers began and that has a video, with what its course's progress needs.

    The catalog's tables are joined: the lists that show progress have no statement to spare for a second
    question.
    """
    statement = (
        select(
            Lecture.course_id,
            func.max(Progress.percent).label("percent"),
            func.count(Progress.completed_at).label("times_completed"),
            func.max(Progress.position_start_at + Progress.position_runtime_s).label("last_at"),
            Lecture.duration_s,
            Course.duration_s.label("course_duration_s"),
        )
        .join(Lecture, Lecture.id == Progress.lecture_id)
        .join(Course, Course.id == Lecture.course_id)
        .where(Progress.viewer_id.in_(viewer_ids), Lecture.media_content_key != "")
        .group_by(Progress.lecture_id, Lecture.course_id, Lecture.duration_s, Course.duration_s)
    )
    return [
        LectureShare(
            course_id=row.course_id,
            percent=row.percent,
            completed=row.times_completed > 0,
            last_at=row.last_at,
            duration_s=row.duration_s,
            course_duration_s=row.course_duration_s,
        )
        for row in await current_session().execute(statement)
    ]
