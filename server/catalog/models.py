"""Tables of what is sold: categories, courses, sections, lectures, prices."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.database.base import Base, table_args
from server.database.types import CurrencyCode, Id, JsonText, LongText, UtcDateTime, enum_column
from server.i18n import N_
from server.labels import Labeled


class CourseStatus(Labeled):
    DRAFT = "draft", N_("Draft")
    PUBLISHED = "published", N_("Published")
    ARCHIVED = "archived", N_("Archived")


class Level(Labeled):
    BEGINNER = "beginner", N_("Beginner")
    INTERMEDIATE = "intermediate", N_("Intermediate")
    ADVANCED = "advanced", N_("Advanced")


class Category(Base):
    __tablename__ = "categories"
    __table_args__ = table_args(UniqueConstraint("slug"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80))
    name: Mapped[dict[str, str]] = mapped_column(JsonText)
    position: Mapped[int] = mapped_column(Integer)


class Course(Base):
    """Texts are dictionaries language → text, e.g. `{"ko": "…", "en": "…"}`."""

    __tablename__ = "courses"
    __table_args__ = table_args(
        UniqueConstraint("slug"),
        Index(None, "status", "published_at", "id"),
        Index(None, "status", "sold_count", "id"),
        Index(None, "status", "category_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(120))
    category_id: Mapped[str] = mapped_column(Id, ForeignKey("categories.id"))
    level: Mapped[Level] = mapped_column(enum_column(Level))
    status: Mapped[CourseStatus] = mapped_column(enum_column(CourseStatus))
    title: Mapped[dict[str, str]] = mapped_column(JsonText)
    promise: Mapped[dict[str, str]] = mapped_column(JsonText)
    description: Mapped[dict[str, str]] = mapped_column(JsonText)
    learn: Mapped[list[dict[str, str]]] = mapped_column(JsonText)
    teacher_name: Mapped[dict[str, str]] = mapped_column(JsonText)
    teacher_bio: Mapped[dict[str, str]] = mapped_column(JsonText)
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    cover: Mapped[str] = mapped_column(String(200))
    # Title, promise, teacher and category in every language, folded: what the search box looks through.
    search_text: Mapped[str] = mapped_column(LongText, default="")
    lecture_count: Mapped[int] = mapped_column(Integer, default=0)
    duration_s: Mapped[int] = mapped_column(Integer, default=0)
    # Purchases that stand, as counted within the last hour: what "most popular" sorts by.
    sold_count: Mapped[int] = mapped_column(Integer, default=0)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    category: Mapped[Category] = relationship(lazy="raise")


class Section(Base):
    __tablename__ = "sections"
    __table_args__ = table_args(Index(None, "course_id", "position"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    course_id: Mapped[str] = mapped_column(Id, ForeignKey("courses.id"))
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[dict[str, str]] = mapped_column(JsonText)

    lectures: Mapped[list["Lecture"]] = relationship(lazy="raise", order_by="Lecture.position")


class Lecture(Base):
    __tablename__ = "lectures"
    __table_args__ = table_args(Index(None, "section_id", "position"), Index(None, "course_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    section_id: Mapped[str] = mapped_column(Id, ForeignKey("sections.id"))
    course_id: Mapped[str] = mapped_column(Id, ForeignKey("courses.id"))
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[dict[str, str]] = mapped_column(JsonText)
    media_content_key: Mapped[str] = mapped_column(String(64), default="")
    duration_s: Mapped[int] = mapped_column(Integer, default=0)
    is_preview: Mapped[bool] = mapped_column(default=False)


class Price(Base):
    """One hand-set price per currency, in minor units as Stripe counts them, tax included."""

    __tablename__ = "prices"

    course_id: Mapped[str] = mapped_column(Id, ForeignKey("courses.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(CurrencyCode, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
