"""What editors type into the forms of sections and lectures."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from server.admin.fields import OneOfLines, filled_texts
from server.catalog.records import LectureDraft, LectureRecord, SectionRecord
from server.i18n import N_, format_clock
from server.web.forms import Filled, Form

CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)", re.ASCII)


class SectionForm(Form):
    section_title: OneOfLines


def filled_section(section: SectionRecord) -> Filled:
    return Filled(filled_texts("section_title", section.title))


def _seconds(typed: Any) -> Any:
    """12:30 → 750, 1:02:03 → 3723."""
    if not (match := CLOCK.fullmatch(str(typed).strip())):
        raise ValueError(N_("Please type minutes and seconds, like 12:30."))
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


class LectureForm(Form):
    section: str
    lecture_title: OneOfLines
    media_content_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$", max_length=64)] = ""
    duration: Annotated[int, BeforeValidator(_seconds), Field(ge=1)]
    is_preview: bool = False

    def draft(self) -> LectureDraft:
        return LectureDraft(
            title=self.lecture_title,
            media_content_key=self.media_content_key,
            duration_s=self.duration,
            is_preview=self.is_preview,
        )


def filled_lecture(lecture: LectureRecord) -> Filled:
    return Filled(
        {
            "section": lecture.section_id,
            "media_content_key": lecture.media_content_key,
            "duration": format_clock(lecture.duration_s),
            "is_preview": "on" if lecture.is_preview else "",
            **filled_texts("lecture_title", lecture.title),
        }
    )


class MoveForm(Form):
    direction: Literal["up", "down"]

    @property
    def step(self) -> int:
        return -1 if self.direction == "up" else 1
