"""What editors type into the form of a course."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from server.admin.fields import (
    Lines,
    LongText,
    LongTexts,
    OneOfLines,
    filled_texts,
    of_the_site,
    without_empty,
)
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


def _each_with_its_currency(typed: Any) -> dict[str, tuple[str, str]]:
    """An empty field is no price; a field of a currency that the site does not offer is no field."""
    given = typed if isinstance(typed, dict) else {}
    texts = {code: str(given.get(code, "")).strip() for code in settings().currency_list}
    return {code: (code, text) for code, text in texts.items() if text}


def _minor_units(typed: tuple[str, str]) -> int:
    """33,000 won → 33000; 33.00 dollars → 3300."""
    currency, text = typed
    if not AMOUNT.fullmatch(text):
        raise ValueError(N_("Please type an amount, in digits."))
    amount = Decimal(text.replace(",", "")).scaleb(exponent(currency))
    if amount != int(amount):
        raise ValueError(N_("This currency has no units that small."))
    return int(amount)


def _each_with_an_answer(typed: str) -> str:
    if any("\n" not in block for block in _blocks(typed)):
        raise ValueError(N_("Each question needs its answer on the lines below it."))
    return typed


Amounts = Annotated[
    dict[str, Annotated[int, BeforeValidator(_minor_units)]],
    BeforeValidator(_each_with_its_currency),
    Field(default_factory=dict),
]
Questions = Annotated[
    dict[str, Annotated[LongText, AfterValidator(_each_with_an_answer)]],
    BeforeValidator(of_the_site),
    AfterValidator(without_empty),
    Field(default_factory=dict),
]


class CourseForm(Form):
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=120)]
    category: str
    level: Level
    cover: str
    price: Amounts
    title: OneOfLines
    promise: Lines
    description: LongTexts
    learn: LongTexts
    teacher_name: Lines
    teacher_bio: LongTexts
    questions: Questions

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

    def draft(self) -> CourseDraft:
        return CourseDraft(
            slug=self.slug,
            category_id=self.category,
            level=self.level,
            title=self.title,
            promise=self.promise,
            description=self.description,
            learn=_side_by_side({language: _lines(text) for language, text in self.learn.items()}),
            teacher_name=self.teacher_name,
            teacher_bio=self.teacher_bio,
            questions=_questions(self.questions),
            cover=self.cover,
            prices=self.price,
        )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _blocks(text: str) -> list[str]:
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def _side_by_side(columns: Mapping[str, Sequence[str]]) -> list[Texts]:
    """By language its lines: the n-th line of one is the n-th of the others."""
    rows = zip_longest(*columns.values())
    return [{language: text for language, text in zip(columns, row, strict=True) if text} for row in rows]


def _questions(texts: Texts) -> list[dict[str, Texts]]:
    """First line of a block the question, the rest its answer."""
    asked = {language: [block.split("\n", 1) for block in _blocks(text)] for language, text in texts.items()}
    questions = _side_by_side({language: [q.strip() for q, _ in pairs] for language, pairs in asked.items()})
    answers = _side_by_side({language: [a.strip() for _, a in pairs] for language, pairs in asked.items()})
    return [{"q": q, "a": a} for q, a in zip(questions, answers, strict=True)]


def filled_course(course: CourseRecord) -> Filled:
    typed = {
        "slug": course.slug,
        "category": course.category_id,
        "level": course.level.value,
        "cover": course.cover,
        **{f"price.{price.currency}": str(to_major(price.amount, price.currency)) for price in course.prices},
    }
    for name in ("title", "promise", "description", "teacher_name", "teacher_bio"):
        typed |= filled_texts(name, getattr(course, name))
    for language in settings().locale_list:
        typed[f"learn.{language}"] = "\n".join(line.get(language, "") for line in course.learn).strip()
        typed[f"questions.{language}"] = "\n\n".join(
            f"{asked['q'][language]}\n{asked['a'].get(language, '')}"
            for asked in course.questions
            if asked["q"].get(language)
        )
    return Filled(typed)
