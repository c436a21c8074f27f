"""What staff, jobs and commands did: a plain list for admins, newest first."""

from collections.abc import Iterable

from sanic import Blueprint, HTTPResponse, Request

from server.accounts import service as accounts
from server.admin.audit.wording import Names, told
from server.audit import service as audit
from server.audit.models import ActorKind
from server.audit.records import AuditRecord
from server.catalog import service as catalog
from server.i18n import pick
from server.paging import page_number
from server.web.audience import Audience, audience
from server.web.templating import page

bp = Blueprint("admin_audit")


@bp.get("/admin/audit")
@audience(Audience.ADMIN)
async def audit_list(request: Request) -> HTTPResponse:
    found = await audit.entries(page_number(request.args.get("page")))
    names = await _names(found.items)
    return page(
        "admin/audit.html",
        entries=[told(entry, names) for entry in found.items],
        page=found,
    )


async def _names(entries: Iterable[AuditRecord]) -> Names:
    """An entry holds ids alone: whose they are now is looked up for the reader."""
    people: set[str] = set()
    courses: set[str] = set()
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
