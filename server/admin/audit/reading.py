"""The audit as staff pages show it: names are looked up when it is read."""

from collections.abc import Collection, Iterable, Mapping

from server.access import service as access
from server.accounts import service as accounts
from server.admin.audit.wording import Entry, Names, told
from server.audit import service as audit
from server.audit.models import ActorKind
from server.audit.records import AuditRecord
from server.catalog import service as catalog
from server.i18n import pick

LATEST = 20


async def about(subject: str, subject_id: str) -> dict[str, Collection[str]]:
    """What is told of this: of a person also what was done to their access."""
    found: dict[str, Collection[str]] = {subject: [subject_id]}
    if subject == "account" and (grants := await access.grants_of(subject_id)):
        found["grant"] = [grant.id for grant in grants]
    return found


async def latest(subject: str, subject_id: str) -> list[Entry]:
    """The last things that were done to this, for the page of it."""
    found = await audit.entries(1, await about(subject, subject_id), size=LATEST)
    names = await names_in(found.items)
    return [told(entry, names) for entry in found.items]


async def names_in(entries: Iterable[AuditRecord], about: Mapping[str, Collection[str]] = {}) -> Names:
    """What people and courses are called now, of these entries and of what the list is about."""
    people, courses = set(about.get("account", ())), set(about.get("course", ()))
    for entry in entries:
        if entry.actor_kind is ActorKind.STAFF:
            people.add(entry.actor_id)
        for name, one in {entry.subject: entry.subject_id, **entry.before, **entry.after}.items():
            if name in ("account", "viewer"):
                people.add(str(one))
            elif name == "course":
                courses.add(str(one))
    known = await accounts.accounts_by_id(people)
    titles = await catalog.titles(courses)
    return Names(
        people={one.id: one.called for one in known.values()},
        courses={one.id: (one.slug, pick(one.title)) for one in titles.values()},
    )
