"""What a person has to look at: alerts of the domains, and mails in trouble."""

from sanic import Blueprint, HTTPResponse, Request

from server.admin.acting import actor_of
from server.admin.alerts import wording
from server.admin.alerts.forms import MailTroubleForm
from server.alerts import service as alerts
from server.mail import service as mail
from server.web.audience import Audience, audience
from server.web.templating import page, redirect

bp = Blueprint("admin_alerts")


@bp.get("/admin/alerts")
@audience(Audience.SUPPORT)
async def alert_list(request: Request) -> HTTPResponse:
    told = [wording.of_alert(alert) for alert in await alerts.open_alerts()]
    told += [wording.of_mail(one) for one in await mail.troubled()]
    return page("admin/alerts.html", alerts=sorted(told, key=lambda one: one.created_at, reverse=True))


@bp.post("/admin/alerts/<alert_id:str>/resolve")
@audience(Audience.SUPPORT)
async def resolve(request: Request, alert_id: str) -> HTTPResponse:
    await alerts.resolve(actor_of(request), alert_id)
    return redirect("/admin/alerts", notice="alert_resolved")


@bp.post("/admin/alerts/mails/<mail_id:str>")
@audience(Audience.SUPPORT)
async def settle_mail(request: Request, mail_id: str) -> HTTPResponse:
    form = MailTroubleForm.parse(request.form)
    await mail.settle_troubled(actor_of(request), mail_id, resend=form.act == "resend")
    return redirect("/admin/alerts", notice="alert_resolved")
