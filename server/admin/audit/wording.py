"""Entries of the audit in words. A code word that is not known here stands as it was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.access.models import GrantReason, GrantState
from server.accounts.models import Role
from server.admin.acting import who
from server.audit.records import Actor, AuditRecord
from server.catalog.models import CourseStatus, Level
from server.checkout.models import OrderStatus, RefundReason
from server.i18n import N_, format_clock, format_day, gettext
from server.jobs import service as jobs
from server.jobs.models import JobState
from server.mail.models import MailState
from server.money import format_money

ACTS = {
    "account.change_role": N_("Role changed"),
    "account.create": N_("Account created"),
    "alert.resolve": N_("Alert handled"),
    "category.import": N_("Category imported"),
    "course.add_lecture": N_("Lecture added"),
    "course.add_section": N_("Section added"),
    "course.archive": N_("Course archived"),
    "course.create": N_("Course created"),
    "course.delete_lecture": N_("Lecture deleted"),
    "course.delete_section": N_("Section deleted"),
    "course.edit": N_("Course changed"),
    "course.edit_lecture": N_("Lecture changed"),
    "course.import": N_("Course imported"),
    "course.move_lecture": N_("Lecture moved"),
    "course.move_section": N_("Section moved"),
    "course.publish": N_("Course published"),
    "course.rename_section": N_("Section renamed"),
    "course.unpublish": N_("Course made a draft again"),
    "grant.give": N_("Access given"),
    "grant.revoke": N_("Access revoked"),
    "job.cancel": N_("Job canceled"),
    "job.start": N_("Job started"),
    "job.try_again": N_("Job started again"),
    "mail.drop": N_("Mail not sent"),
    "mail.resend": N_("Mail sent again"),
    "order.cancel": N_("Order canceled"),
    "order.close_payment": N_("Payment closed: too many declined cards"),
    "order.refund": N_("Refund asked for"),
    "order.refund_refused": N_("Refund refused by Stripe"),
}
SUBJECTS = {
    "account": N_("Account"),
    "alert": N_("Alert"),
    "category": N_("Category"),
    "course": N_("Course"),
    "grant": N_("Access"),
    "job": N_("Job"),
    "mail": N_("Mail"),
    "order": N_("Order"),
}
FACTS = {
    "amount": N_("Amount"),
    "category": N_("Category"),
    "course": N_("Course"),
    "declines": N_("Declined cards"),
    "cover": N_("Cover"),
    "duration_s": N_("Length"),
    "ends_at": N_("Until"),
    "is_preview": N_("Free preview"),
    "kind": N_("Kind"),
    "lecture": N_("Lecture"),
    "level": N_("Level"),
    "open": N_("Open"),
    "place": N_("Place"),
    "reason": N_("Reason"),
    "refunded": N_("Refunded"),
    "role": N_("Role"),
    "section": N_("Section"),
    "slug": N_("Address"),
    "state": N_("State"),
    "status": N_("State"),
    "texts": N_("Texts"),
    "video": N_("Media content key"),
    "viewer": N_("Viewer"),
}
PRICE = "price."  # and its currency, which is the fact's name for people
# Of subject and fact: what its code words are called.
VALUES: dict[str, Mapping[str, str]] = {
    "account.role": {one.value: one.label for one in Role},
    "course.level": {one.value: one.label for one in Level},
    "course.status": {one.value: one.label for one in CourseStatus},
    "course.texts": {
        "title": N_("Title"),
        "promise": N_("Promise"),
        "description": N_("Description"),
        "learn": N_("What you'll learn"),
        "teacher_name": N_("Name"),
        "teacher_bio": N_("About the teacher"),
        "questions": N_("Questions"),
    },
    "grant.reason": {one.value: one.label for one in GrantReason},
    "grant.state": {one.value: one.label for one in GrantState},
    "job.state": {one.value: one.label for one in JobState},
    "mail.state": {one.value: one.label for one in MailState},
    "order.status": {one.value: one.label for one in OrderStatus},
    "order.reason": {one.value: one.label for one in RefundReason},
}


@dataclass(frozen=True, slots=True)
class Names:
    """What ids stand for today: people's names or addresses, courses' slugs and titles."""

    people: Mapping[str, str]
    courses: Mapping[str, tuple[str, str]]

    def person_page(self, account_id: str) -> str | None:
        return f"/admin/users/{account_id}" if account_id in self.people else None

    def course_page(self, course_id: str) -> str | None:
        return f"/admin/courses/{self.courses[course_id][0]}" if course_id in self.courses else None


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what changed; a side is None where there was nothing."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    who: str
    who_href: str | None
    act: str
    subject: str
    subject_href: str | None
    facts: list[Fact]


def told(entry: AuditRecord, names: Names) -> Entry:
    actor = who(Actor(entry.actor_kind, entry.actor_id), names.people)
    subject, subject_href = _subject(entry, names)
    return Entry(
        at=entry.at,
        who=actor.name,
        who_href=actor.href,
        act=_word(ACTS, entry.act),
        subject=subject,
        subject_href=subject_href,
        facts=_facts(entry, names),
    )


def _word(words: Mapping[str, str], code: str) -> str:
    return gettext(words[code]) if code in words else code


def _subject(entry: AuditRecord, names: Names) -> tuple[str, str | None]:
    if entry.subject == "grant":
        viewer = str((entry.before | entry.after).get("viewer"))
        return _word(SUBJECTS, "grant"), names.person_page(viewer)
    return called(entry.subject, entry.subject_id, names)


def called(subject: str, one: str, names: Names) -> tuple[str, str | None]:
    """What a subject is called, and the path of its page if it has one."""
    if subject == "course" and one in names.courses:
        return names.courses[one][1], names.course_page(one)
    if subject == "account" and one in names.people:
        return names.people[one], names.person_page(one)
    pages = {"order": f"/admin/orders/{one}", "job": "/admin/jobs"}
    return f"{_word(SUBJECTS, subject)} {one}", pages.get(subject)


def _facts(entry: AuditRecord, names: Names) -> list[Fact]:
    both = entry.before | entry.after
    currency = both.pop("currency", None)

    def side(facts: Mapping[str, Any], name: str) -> str | None:
        return _value(entry.subject, name, facts[name], names, currency) if name in facts else None

    return [
        Fact(_word(FACTS, name.removeprefix(PRICE)), side(entry.before, name), side(entry.after, name))
        for name in both
    ]


def _value(subject: str, name: str, value: Any, names: Names, currency: Any) -> str:
    match name, value:
        case str(), int() if name.startswith(PRICE):
            words = format_money(value, name.removeprefix(PRICE))
        case (("amount" | "refunded"), int()) if currency:
            words = format_money(value, currency)
        case "duration_s", int():
            words = format_clock(value)
        case "ends_at", str():
            # An end at midnight belongs to the day before.
            words = format_day(datetime.fromisoformat(value) - timedelta(microseconds=1))
        case "viewer", str():
            words = names.people.get(value, value)
        case "course", str() if value in names.courses:
            words = names.courses[value][1]
        case "kind", str() if value in jobs.kinds():
            words = gettext(jobs.kinds()[value].label)
        case _, bool():
            words = gettext("Yes") if value else gettext("No")
        case _, list():
            words = ", ".join(_code_word(subject, name, one) for one in value)
        case _:
            words = _code_word(subject, name, value)
    return words or "–"


def _code_word(subject: str, name: str, value: Any) -> str:
    return _word(VALUES.get(f"{subject}.{name}", {}), str(value))
