"""What a player reports becomes progress. Reports come doubled, reordered and late; all of them count."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from server.catalog import service as catalog
from server.catalog.records import LectureRecord
from server.clock import from_unix, now
from server.database.session import in_transaction, require_transaction
from server.playback import repository
from server.playback.forms import LmsReport
from server.playback.records import PlayRecord
from server.playback.tickets import play_id_of
from server.playback.watched import Watched

CLOCK_TOLERANCE = timedelta(days=1)


class Outcome(StrEnum):
    STORED = "stored"
    UNREADABLE = "ignored_unreadable"
    TOO_LARGE = "ignored_too_large"
    BAD_TICKET = "ignored_ticket"
    UNKNOWN_PLAY = "ignored_unknown_play"
    FOREIGN = "ignored_foreign"
    FUTURE = "ignored_future"


async def take_report(ticket: object, report: LmsReport) -> Outcome:
    """Merge one report into its play and into the viewer's progress, if the ticket is one of ours."""
    play_id = play_id_of(ticket or report.ticket)
    if play_id is None:
        return Outcome.BAD_TICKET
    if report.content_info.start_at > (now() + CLOCK_TOLERANCE).timestamp():
        # It would be the latest word for ever.
        return Outcome.FUTURE

    async def act() -> Outcome:
        # The play's lock comes first, here and in the claim that moves plays: its viewer is settled by it.
        play = await repository.lock_play(play_id)
        lecture = await catalog.get_lecture(play.lecture_id) if play else None
        if play is None or lecture is None:
            return Outcome.UNKNOWN_PLAY
        if _is_foreign(report, play, lecture):
            return Outcome.FOREIGN
        await _note(play, report)
        if play.viewer_id is not None:
            await merge_progress(play.viewer_id, lecture.id, report.watched(lecture.duration_s))
        return Outcome.STORED

    return await in_transaction(act)


def _is_foreign(report: LmsReport, play: PlayRecord, lecture: LectureRecord) -> bool:
    """Whether the report names another viewer or another video than its ticket."""
    told = (report.user_info.client_user_id, report.content_info.media_content_key)
    ours = (play.cuid, lecture.media_content_key)
    return any(value and value != own for value, own in zip(told, ours, strict=True))


async def _note(play: PlayRecord, report: LmsReport) -> None:
    content = report.content_info
    reported = {
        "playtime_s": content.playtime,
        "real_playtime_s": content.real_playtime,
        "runtime_s": content.runtime,
        "showtime_s": content.showtime,
        "last_position_s": content.last_play_at,
    }
    changes: dict[str, Any] = _greater(play, reported)
    started_at = from_unix(content.start_at)
    if play.started_at is None or started_at < play.started_at:
        changes["started_at"] = started_at
    if changes:
        await repository.change_play(play.id, **changes, reported_at=now())


def _greater(play: PlayRecord, reported: Mapping[str, int]) -> dict[str, int]:
    return {name: value for name, value in reported.items() if value > getattr(play, name)}


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
