"""What playback tells: plays, progress, and what its pages show (never a media content key)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.access.models import GrantState
from server.access.records import GrantRecord
from server.catalog.records import CourseRecord, LectureRecord, SectionRecord
from server.clock import from_unix
from server.database.records import Record
from server.playback.watched import Watched


class PlayRecord(Record):
    id: str
    viewer_id: str | None
    lecture_id: str
    cuid: str
    created_at: datetime
    started_at: datetime | None
    playtime_s: int
    real_playtime_s: int
    runtime_s: int
    showtime_s: int
    last_position_s: int


class ProgressRecord(Record):
    id: str
    lecture_id: str
    completed_at: datetime | None
    watched: Watched

    @property
    def percent(self) -> int:
        return self.watched.percent

    @property
    def last_position_s(self) -> int:
        return self.watched.last_position_s

    @property
    def completed(self) -> bool:
        return self.completed_at is not None

    def joined(self, other: "ProgressRecord") -> "ProgressRecord":
        times = [at for at in (self.completed_at, other.completed_at) if at is not None]
        return self.model_copy(
            update={
                "watched": self.watched.merged(other.watched),
                "completed_at": min(times, default=None),
            }
        )


@dataclass(frozen=True, slots=True)
class LectureShare:
    """One lecture's part in the progress of its course. `last_at`: when it was watched last, unix seconds."""

    course_id: str
    percent: int
    completed: bool
    last_at: int
    duration_s: int
    course_duration_s: int


@dataclass(frozen=True, slots=True)
class CourseProgress:
    percent: int
    seconds_left: int
    last_watched_at: datetime

    @classmethod
    def of(cls, shares: Sequence[LectureShare]) -> "CourseProgress":
        """Sum up the shares of one course (at least one)."""
        last = max(shares, key=lambda share: share.last_at)
        total = last.course_duration_s
        seconds = seconds_watched((share.percent, share.completed, share.duration_s) for share in shares)
        return cls(
            percent=percent_of(seconds, total),
            seconds_left=max(0, total - seconds),
            last_watched_at=from_unix(last.last_at),
        )


def percent_watched(progress: CourseProgress | None) -> int:
    """None: of a course that was never begun."""
    return progress.percent if progress else 0


def opened_at(grant: GrantRecord, progress: CourseProgress | None) -> datetime:
    """When a course was watched last, or became the viewer's."""
    return max(progress.last_watched_at, grant.created_at) if progress else grant.created_at


def seconds_watched(lectures: Iterable[tuple[int, bool, int]]) -> int:
    """Of lectures given as (percent, completed, length in seconds); a completed one counts whole."""
    hundredths = sum((100 if completed else percent) * duration for percent, completed, duration in lectures)
    return hundredths // 100


def percent_of(seconds: int, total: int) -> int:
    return min(100, seconds * 100 // total) if total else 0


@dataclass(frozen=True, slots=True)
class ProgrammeLecture:
    id: str
    title: dict[str, str]
    duration_s: int
    is_preview: bool
    is_coming: bool
    completed: bool

    @classmethod
    def of(cls, lecture: LectureRecord, progress: Mapping[str, ProgressRecord]) -> "ProgrammeLecture":
        return cls(
            id=lecture.id,
            title=lecture.title,
            duration_s=lecture.duration_s,
            is_preview=lecture.is_preview,
            is_coming=lecture.is_coming,
            completed=lecture.id in progress and progress[lecture.id].completed,
        )


@dataclass(frozen=True, slots=True)
class ProgrammeSection:
    title: dict[str, str]
    lectures: list[ProgrammeLecture]


@dataclass(frozen=True, slots=True)
class Programme:
    """A course as its watch page shows it."""

    slug: str
    title: dict[str, str]
    sections: list[ProgrammeSection]
    progress_percent: int

    @classmethod
    def of(
        cls, course: CourseRecord, sections: list[SectionRecord], progress: Mapping[str, ProgressRecord]
    ) -> "Programme":
        lectures = [one for section in sections for one in section.lectures if not one.is_coming]
        seconds = seconds_watched(
            (progress[one.id].percent, progress[one.id].completed, one.duration_s)
            for one in lectures
            if one.id in progress
        )
        return cls(
            slug=course.slug,
            title=course.title,
            sections=[
                ProgrammeSection(
                    section.title, [ProgrammeLecture.of(one, progress) for one in section.lectures]
                )
                for section in sections
            ],
            progress_percent=percent_of(seconds, sum(one.duration_s for one in lectures)),
        )

    @property
    def lectures(self) -> list[ProgrammeLecture]:
        return [lecture for section in self.sections for lecture in section.lectures]

    def around(self, lecture_id: str) -> tuple[ProgrammeLecture, ProgrammeLecture | None]:
        """That lecture and the next one that has a video, across sections; None after the last."""
        place = next(place for place, one in enumerate(self.lectures) if one.id == lecture_id)
        following = (one for one in self.lectures[place + 1 :] if not one.is_coming)
        return self.lectures[place], next(following, None)


@dataclass(frozen=True, slots=True)
class WatchPage:
    """`player_url` is None while the lecture has no video."""

    course: Programme
    lecture: ProgrammeLecture
    next_lecture: ProgrammeLecture | None
    progress: Watched
    player_url: str | None


@dataclass(frozen=True, slots=True)
class PreviewPage:
    course: CourseRecord
    lecture: ProgrammeLecture
    player_url: str | None


@dataclass(frozen=True, slots=True)
class ShelfItem:
    course: CourseRecord
    grant: GrantRecord
    progress: CourseProgress | None

    @property
    def suspended(self) -> bool:
        return self.grant.state is GrantState.SUSPENDED

    @property
    def progress_percent(self) -> int:
        return percent_watched(self.progress)

    @property
    def seconds_left(self) -> int:
        return self.progress.seconds_left if self.progress else self.course.duration_s
