"""What a player reports becomes progress. Reports come doubled, reordered and late; all of them count."""

import logging
from enum import StrEnum

from server import metrics
from server.catalog import service as catalog
from server.catalog.records import LectureRecord
from server.clock import from_unix, now
from server.database.session import in_transaction
from server.playback import repository
from server.playback.lms import LmsReport
from server.playback.records import PlayRecord
from server.playback.service import merge_progress
from server.playback.tickets import play_id_of

log = logging.getLogger("playbill.playback")


class Outcome(StrEnum):
    STORED = "stored"
    UNREADABLE = "ignored_unreadable"
    TOO_LARGE = "ignored_too_large"
    BAD_TICKET = "ignored_ticket"
    UNKNOWN_PLAY = "ignored_unknown_play"
    FOREIGN = "ignored_foreign"


async def take_report(ticket: object, report: LmsReport) -> Outcome:
    """Merge one report into its play and into the viewer's progress, if its ticket is one of ours.

    `ticket`: as it was posted beside the report, which may have one inside as well.
    """
    play_id = play_id_of(ticket) or play_id_of(report.ticket)
    if play_id is None:
        return Outcome.BAD_TICKET
    odd: set[str] = set()

    async def act() -> Outcome:
        # The play's lock comes first, here and in the claim that moves plays: its viewer is settled by it.
        play = await repository.lock_play(play_id)
        lecture = await catalog.get_lecture(play.lecture_id) if play else None
        if play is None or lecture is None:
            return Outcome.UNKNOWN_PLAY
        if _is_foreign(report, play, lecture):
            return Outcome.FOREIGN
        opened_at = int(play.created_at.timestamp())
        odd.update(report.odd_in(opened_at))
        noted = _noted(play, report, opened_at, lecture.duration_s)
        if noted != play:
            await repository.keep_figures(noted, reported_at=now())
        if play.viewer_id is not None:
            await merge_progress(play.viewer_id, lecture.id, report.watched(opened_at, lecture.duration_s))
        return Outcome.STORED

    outcome = await in_transaction(act)
    if outcome is Outcome.STORED and odd:
        _tell_odd(play_id, odd)
    return outcome


def _is_foreign(report: LmsReport, play: PlayRecord, lecture: LectureRecord) -> bool:
    """Whether the report names another viewer or another video than its ticket."""
    told = (report.client_user_id, report.media_content_key)
    ours = (play.cuid, lecture.media_content_key)
    return any(value and value != own for value, own in zip(told, ours, strict=True))


def _noted(play: PlayRecord, report: LmsReport, opened_at: int, duration_s: int) -> PlayRecord:
    """The play with what the report adds: of each figure the greatest, of the starts the first."""
    told = {
        "playtime_s": report.playtime_s,
        "real_playtime_s": report.real_playtime_s,
        "runtime_s": report.runtime_s,
        "showtime_s": report.showtime_s,
        "last_position_s": report.position(duration_s),
    }
    greatest = {name: max(value or 0, getattr(play, name)) for name, value in told.items()}
    started_at = from_unix(report.starts_at(opened_at))
    return play.model_copy(update={**greatest, "started_at": min(play.started_at or started_at, started_at)})


def _tell_odd(play_id: str, odd: set[str]) -> None:
    """How an operator learns that a player has changed; what a person's report said is not for the log."""
    for name in odd:
        metrics.lms_odd_fields.labels(name).inc()
    log.debug("a report of play %s was not as documented in: %s", play_id, ", ".join(sorted(odd)))
