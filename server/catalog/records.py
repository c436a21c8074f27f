"""What the catalog tells about courses, and what editors hand in."""

from dataclasses import dataclass, field
from datetime import datetime

from server.catalog.models import CourseStatus, Level
from server.database.records import Record

Texts = dict[str, str]  # language → text


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """Minor units as Stripe counts them, tax included."""

    currency: str
    amount: int


class CategoryRecord(Record):
    id: str
    slug: str
    name: Texts
    position: int


class LectureRecord(Record):
    """Carries the media content key for services; a page prints it only for editors.

    `duration_s` of a lecture that is coming is what its editor expects.
    """

    id: str
    section_id: str
    course_id: str
    position: int
    title: Texts
    media_content_key: str
    duration_s: int
    is_preview: bool

    @property
    def is_coming(self) -> bool:
        """It has no video yet."""
        return not self.media_content_key


class SectionRecord(Record):
    id: str
    course_id: str
    position: int
    title: Texts
    lectures: list[LectureRecord]


class CourseRecord(Record):
    id: str
    slug: str
    category_id: str
    level: Level
    status: CourseStatus
    title: Texts
    promise: Texts
    description: Texts
    learn: list[Texts]
    teacher_name: Texts
    teacher_bio: Texts
    questions: list[dict[str, Texts]]
    cover: str
    lecture_count: int
    duration_s: int
    sold_count: int
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    category: CategoryRecord
    # In the currencies that the site offers, in their order.
    prices: list[PriceRecord]

    @property
    def is_published(self) -> bool:
        return self.status is CourseStatus.PUBLISHED


@dataclass(frozen=True, slots=True)
class CourseCard:
    """A course in a list: the few columns a card shows, and what it is to the viewer."""

    id: str
    slug: str
    category_id: str
    level: Level
    title: Texts
    promise: Texts
    teacher_name: Texts
    cover: str
    lecture_count: int
    duration_s: int
    price: PriceRecord | None
    owned: bool = False
    progress_percent: int | None = None  # None: not told here


@dataclass(frozen=True, slots=True)
class CourseQuery:
    """What a visitor looks for; `words` are folded as `search_text` is."""

    words: tuple[str, ...] = ()
    category_id: str | None = None
    level: Level | None = None
    sort: str = "newest"


@dataclass(frozen=True, slots=True)
class HomeRow:
    category: CategoryRecord
    courses: list[CourseCard]


@dataclass(frozen=True, slots=True)
class Home:
    headline: CourseCard | None = None
    newest: list[CourseCard] = field(default_factory=list)
    rows: list[HomeRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CourseDraft:
    """A course as an editor hands it in; an absent price takes the course off sale in that currency."""

    slug: str
    category_id: str
    level: Level
    title: Texts
    promise: Texts
    description: Texts
    learn: list[Texts]
    teacher_name: Texts
    teacher_bio: Texts
    questions: list[dict[str, Texts]]
    cover: str
    prices: dict[str, int]


@dataclass(frozen=True, slots=True)
class LectureDraft:
    title: Texts
    media_content_key: str
    duration_s: int
    is_preview: bool
