"""What staff type into the forms of their pages."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import zip_longest
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, create_model, field_validator

from server.access.models import GrantReason
from server.accounts import service as accounts
from server.accounts.models import Role
from server.catalog import service as catalog
from server.catalog.models import Level
from server.catalog.records import (
    CourseDraft,
    CourseRecord,
    LectureDraft,
    LectureRecord,
    SectionRecord,
    Texts,
)
from server.clock import now
from server.currencies import exponent
from server.i18n import N_, format_clock
from server.money import to_major
from server.settings import settings
from server.web.forms import Filled, Form, FormInvalid

LANGUAGES = ("ko", "en")  # those that editors write in
# Words that are paths of ours below /admin/courses.
RESERVED_SLUGS = frozenset({"new"})
# A comma groups thousands; taken for a decimal sign it would make a hundred times the price.
AMOUNT = re.compile(r"(\d{1,12}|\d{1,3}(,\d{3}){1,3})(\.\d{1,3})?", re.ASCII)
CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)")


def _unix_lines(typed: Any) -> Any:
    return typed.replace("\r\n", "\n") if isinstance(typed, str) else typed


Line = Annotated[str, Field(max_length=300)]
LongText = Annotated[str, Field(max_length=20_000), BeforeValidator(_unix_lines)]


def refilled(posted: Mapping[str, Sequence[Any]] | None, error: FormInvalid | catalog.CatalogError) -> Filled:
    """The form once more, with what was typed and what is wrong with it."""
    typed = {name: values[0] for name, values in (posted or {}).items() if values}
    return Filled(typed, error.errors if isinstance(error, FormInvalid) else {error.field: error.text})


def _texts(form: Form, name: str) -> Texts:
    return {language: text for language in LANGUAGES if (text := getattr(form, f"{name}_{language}"))}


def _in_one_language(typed: str, info: ValidationInfo) -> str:
    """On the last language's field: one of them has to say something."""
    assert info.field_name is not None
    name = info.field_name.removesuffix(LANGUAGES[-1])
    if not typed and not any(info.data.get(name + language) for language in LANGUAGES[:-1]):
        raise ValueError(N_("Please fill this in, in at least one language."))
    return typed


OneOfThese = Annotated[Line, Field(default="", validate_default=True), AfterValidator(_in_one_language)]


# --- courses


class CourseFields(Form):
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=120)]
    category: str
    level: Level
    cover: str
    title_ko: Line = ""
    title_en: OneOfThese
    promise_ko: Line = ""
    promise_en: Line = ""
    description_ko: LongText = ""
    description_en: LongText = ""
    learn_ko: LongText = ""
    learn_en: LongText = ""
    teacher_name_ko: Line = ""
    teacher_name_en: Line = ""
    teacher_bio_ko: LongText = ""
    teacher_bio_en: LongText = ""
    questions_ko: LongText = ""
    questions_en: LongText = ""

    @field_validator("slug")
    @classmethod
    def _not_a_path_of_ours(cls, slug: str) -> str:
        if slug in RESERVED_SLUGS:
            raise ValueError(N_("This word is taken by a page of the site."))
        return slug

    @field_validator("cover")
    @classmethod
    def _one_that_is_drawn(cls, cover: str) -> str:
        if cover not in catalog.covers():
            raise ValueError(N_("Please choose one of the given options."))
        return cover

    @field_validator("questions_ko", "questions_en")
    @classmethod
    def _each_with_an_answer(cls, typed: str) -> str:
        if any("\n" not in block for block in _blocks(typed)):
            raise ValueError(N_("Each question needs its answer on the lines below it."))
        return typed

    def draft(self) -> CourseDraft:
        prices = {code: getattr(self, f"price_{code}") for code in settings().currency_list}
        return CourseDraft(
            slug=self.slug,
            category_id=self.category,
            level=self.level,
            title=_texts(self, "title"),
            promise=_texts(self, "promise"),
            description=_texts(self, "description"),
            learn=_side_by_side(_lines(self.learn_ko), _lines(self.learn_en)),
            teacher_name=_texts(self, "teacher_name"),
            teacher_bio=_texts(self, "teacher_bio"),
            questions=_questions(self.questions_ko, self.questions_en),
            cover=self.cover,
            prices={code: amount for code, amount in prices.items() if amount is not None},
        )


def course_form() -> type[CourseFields]:
    """The form with one price field for each currency that the site offers."""
    return _course_form(tuple(settings().currency_list))


@cache
def _course_form(currencies: tuple[str, ...]) -> type[CourseFields]:
    fields: dict[str, Any] = {
        f"price_{code}": (Annotated[int | None, BeforeValidator(partial(_minor_units, code))], None)
        for code in currencies
    }
    return create_model("CourseForm", __base__=CourseFields, **fields)


def _minor_units(currency: str, typed: Any) -> int | None:
    """33,000 won → 33000; 33.00 dollars → 3300; nothing typed → no price."""
    text = str(typed or "").strip()
    if not text:
        return None
    if not AMOUNT.fullmatch(text):
        raise ValueError(N_("Please type an amount, in digits."))
    amount = Decimal(text.replace(",", "")).scaleb(exponent(currency))
    if amount != int(amount):
        raise ValueError(N_("This currency has no units that small."))
    return int(amount)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _blocks(text: str) -> list[str]:
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def _side_by_side(korean: list[str], english: list[str]) -> list[Texts]:
    """The n-th line of one language is the n-th of the other."""
    return [
        {language: text for language, text in zip(LANGUAGES, pair, strict=True) if text}
        for pair in zip_longest(korean, english)
    ]


def _questions(korean: str, english: str) -> list[dict[str, Texts]]:
    """First line of a block the question, the rest its answer."""
    asked = [[block.split("\n", 1) for block in _blocks(text)] for text in (korean, english)]
    questions = _side_by_side(*([q.strip() for q, _ in one] for one in asked))
    answers = _side_by_side(*([a.strip() for _, a in one] for one in asked))
    return [{"q": q, "a": a} for q, a in zip(questions, answers, strict=True)]


def filled_course(course: CourseRecord) -> Filled:
    typed: dict[str, str] = {
        "slug": course.slug,
        "category": course.category_id,
        "level": course.level.value,
        "cover": course.cover,
        **{f"price_{price.currency}": str(to_major(price.amount, price.currency)) for price in course.prices},
    }
    for language in LANGUAGES:
        for name in ("title", "promise", "description", "teacher_name", "teacher_bio"):
            typed[f"{name}_{language}"] = getattr(course, name).get(language, "")
        typed[f"learn_{language}"] = "\n".join(line.get(language, "") for line in course.learn).strip()
        typed[f"questions_{language}"] = "\n\n".join(
            f"{asked['q'][language]}\n{asked['a'].get(language, '')}"
            for asked in course.questions
            if asked["q"].get(language)
        )
    return Filled(typed)


# --- sections and lectures


class SectionForm(Form):
    section_ko: Line = ""
    section_en: OneOfThese

    @property
    def title(self) -> Texts:
        return _texts(self, "section")


def filled_section(section: SectionRecord) -> Filled:
    return Filled({f"section_{language}": section.title.get(language, "") for language in LANGUAGES})


def _seconds(typed: Any) -> Any:
    """12:30 → 750, 1:02:03 → 3723."""
    if not (match := CLOCK.fullmatch(str(typed).strip())):
        raise ValueError(N_("Please type minutes and seconds, like 12:30."))
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


class LectureForm(Form):
    section: str
    lecture_ko: Line = ""
    lecture_en: OneOfThese
    media_content_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$", max_length=64)] = ""
    duration: Annotated[int, BeforeValidator(_seconds), Field(ge=1)]
    is_preview: bool = False

    def draft(self) -> LectureDraft:
        return LectureDraft(
            title=_texts(self, "lecture"),
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
            **{f"lecture_{language}": lecture.title.get(language, "") for language in LANGUAGES},
        }
    )


class MoveForm(Form):
    direction: Literal["up", "down"]

    @property
    def step(self) -> int:
        return -1 if self.direction == "up" else 1


# --- people


def _end_of_day(typed: Any) -> datetime | None:
    """A day of the business's calendar → the moment it ends."""
    if not typed:
        return None
    try:
        day = date.fromisoformat(str(typed))
        end = datetime.combine(day + timedelta(days=1), time(), settings().timezone)
    except (ValueError, OverflowError):
        raise ValueError(N_("Please give a day, like 2027-03-31.")) from None
    if end <= now():
        raise ValueError(N_("This day is over. Please give a later one."))
    return end


class GrantForm(Form):
    course: str
    reason: Literal[GrantReason.GIFT, GrantReason.STAFF]
    note: Annotated[str, Field(min_length=1, max_length=500)]
    ends_on: Annotated[datetime | None, BeforeValidator(_end_of_day)] = None


class GrantByEmailForm(GrantForm):
    email: Annotated[str, AfterValidator(accounts.valid_email)]


class RoleForm(Form):
    role: Role


class MailTroubleForm(Form):
    act: Literal["resend", "drop"]
