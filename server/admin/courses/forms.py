"""What editors type into the form of a course."""

import re
from decimal import Decimal
from functools import cache, partial
from itertools import zip_longest
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model, field_validator

from server.admin.fields import LANGUAGES, Line, LongText, OneOfThese, texts_of
from server.catalog import service as catalog
from server.catalog.models import Level
from server.catalog.records import CourseDraft, CourseRecord, Texts
from server.currencies import exponent
from server.i18n import N_
from server.money import to_major
from server.settings import settings
from server.web.forms import Filled, Form

# Words that are paths of ours below /admin/courses.
RESERVED_SLUGS = frozenset({"new"})
# A comma groups thousands; taken for a decimal sign it would make a hundred times the price.
AMOUNT = re.compile(r"(\d{1,12}|\d{1,3}(,\d{3}){1,3})(\.\d{1,3})?", re.ASCII)


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
            title=texts_of(self, "title"),
            promise=texts_of(self, "promise"),
            description=texts_of(self, "description"),
            learn=_side_by_side(_lines(self.learn_ko), _lines(self.learn_en)),
            teacher_name=texts_of(self, "teacher_name"),
            teacher_bio=texts_of(self, "teacher_bio"),
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
