"""What staff, jobs and commands did: a plain list for admins, newest first."""

from sanic import Blueprint, HTTPResponse, Request

from server.admin.audit import reading
from server.admin.audit.wording import SUBJECTS, called, told
from server.audit import service as audit
from server.paging import page_number
from server.web.audience import Audience, audience
from server.web.templating import page

bp = Blueprint("admin_audit")


@bp.get("/admin/audit")
@audience(Audience.ADMIN)
async def audit_list(request: Request) -> HTTPResponse:
    """All of it, or (`?subject=order&id=…`) what was done to one thing."""
    subject, one = request.args.get("subject"), request.args.get("id")
    is_whole = subject not in SUBJECTS or not one
    about = {} if is_whole else await reading.about(subject, one)
    found = await audit.entries(page_number(request.args.get("page")), about)
    names = await reading.names_in(found.items, about)
    return page(
        "admin/audit.html",
        entries=[told(entry, names) for entry in found.items],
        page=found,
        query={} if is_whole else {"subject": subject, "id": one},
        only=None if is_whole else called(subject, one, names),
    )
