"""Texts in languages that the site does not offer just now: an edit leaves them as they are."""

from dataclasses import replace

from server.catalog.records import CourseDraft, CourseRecord, LectureDraft, LectureRecord, Texts
from server.settings import settings

Question = dict[str, Texts]


def kept(stored: Texts, edited: Texts) -> Texts:
    """The edited texts, and those of `stored` that no form showed."""
    offered = settings().locale_list
    return {language: text for language, text in stored.items() if language not in offered} | edited


def course_with_kept_texts(stored: CourseRecord, draft: CourseDraft) -> CourseDraft:
    return replace(
        draft,
        title=kept(stored.title, draft.title),
        promise=kept(stored.promise, draft.promise),
        description=kept(stored.description, draft.description),
        learn=_kept_lines(stored.learn, draft.learn),
        teacher_name=kept(stored.teacher_name, draft.teacher_name),
        teacher_bio=kept(stored.teacher_bio, draft.teacher_bio),
        questions=_kept_questions(stored.questions, draft.questions),
    )


def lecture_with_kept_texts(stored: LectureRecord, draft: LectureDraft) -> LectureDraft:
    return replace(draft, title=kept(stored.title, draft.title))


def _kept_lines(stored: list[Texts], edited: list[Texts]) -> list[Texts]:
    seen = [kept(old, new) for old, new in zip(stored, edited, strict=False)]
    return [*seen, *edited[len(stored) :], *(line for line in stored[len(edited) :] if _unseen(line))]


def _kept_questions(stored: list[Question], edited: list[Question]) -> list[Question]:
    seen = [
        {"q": kept(old["q"], new["q"]), "a": kept(old["a"], new["a"])}
        for old, new in zip(stored, edited, strict=False)
    ]
    return [*seen, *edited[len(stored) :], *(one for one in stored[len(edited) :] if _unseen(one["q"]))]


def _unseen(texts: Texts) -> bool:
    """Whether no form showed any of it; what one showed and comes back without was taken out."""
    return not any(texts.get(language) for language in settings().locale_list)
