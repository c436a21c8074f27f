"""Jobs that are done once: what is under way, what came of it, and how to stop it or have it done again."""

from sanic import Blueprint, HTTPResponse, Request

from server.accounts import service as accounts
from server.admin.acting import actor_of
from server.admin.jobs.forms import StartForm
from server.admin.jobs.wording import told
from server.i18n import gettext
from server.jobs import service as jobs
from server.paging import page_number
from server.web.audience import Audience, audience
from server.web.templating import page, redirect

bp = Blueprint("admin_jobs")


@bp.get("/admin/jobs")
@audience(Audience.ADMIN)
async def job_list(request: Request) -> HTTPResponse:
    found = await jobs.list_jobs(page_number(request.args.get("page")))
    people = await accounts.accounts_by_id({one.actor_id for one in found.items})
    names = {one.id: one.called for one in people.values()}
    return page(
        "admin/jobs.html",
        jobs=[told(job, names) for job in found.items],
        kinds=[(kind.name, gettext(kind.label)) for kind in jobs.startable()],
        page=found,
    )


@bp.post("/admin/jobs")
@audience(Audience.ADMIN)
async def start(request: Request) -> HTTPResponse:
    form = StartForm.parse(request.form)
    await jobs.start(actor_of(request), form.kind)
    return redirect("/admin/jobs", notice="job_started")


@bp.post("/admin/jobs/<job_id:str>/cancel")
@audience(Audience.ADMIN)
async def cancel(request: Request, job_id: str) -> HTTPResponse:
    await jobs.cancel(actor_of(request), job_id)
    return redirect("/admin/jobs", notice="job_canceled")


@bp.post("/admin/jobs/<job_id:str>/again")
@audience(Audience.ADMIN)
async def try_again(request: Request, job_id: str) -> HTTPResponse:
    await jobs.try_again(actor_of(request), job_id)
    return redirect("/admin/jobs", notice="job_started")
