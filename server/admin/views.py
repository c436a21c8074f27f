"""The staff's pages: the overview here, each subject in a package of its own."""

from collections import Counter
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.admin import service
from server.admin.alerts.views import bp as alerts_bp
from server.admin.audit.views import bp as audit_bp
from server.admin.courses.views import bp as courses_bp
from server.admin.jobs.views import bp as jobs_bp
from server.admin.orders.views import bp as orders_bp
from server.admin.programme.views import bp as programme_bp
from server.admin.users.views import bp as users_bp
from server.alerts import service as alert_service
from server.catalog import service as catalog
from server.checkout import service as checkout
from server.mail import service as mail
from server.web.audience import Audience, audience
from server.web.templating import page

overview = Blueprint("admin")


@overview.get("/admin")
@audience(Audience.STAFF)
async def dashboard(request: Request) -> HTTPResponse:
    """Money and people for those who look after them; an editor sees the state of the catalog."""
    me = request.ctx.account
    context: dict[str, Any] = {}
    if me.is_support:
        latest = await checkout.list_orders("", None, 1)
        context |= {
            "paid_without_access": await checkout.count_paid_without_access(),
            "open_alerts": await alert_service.count_open() + await mail.count_troubled(),
            "today": await service.sales_of_last_days(1),
            "month": await service.sales_of_last_days(30),
            "orders": latest.items[:10],
        }
    if me.is_editor:
        context["by_status"] = Counter(course.status.value for course in await catalog.all_courses())
    return page("admin/dashboard.html", **context)


bp = Blueprint.group(overview, orders_bp, alerts_bp, audit_bp, courses_bp, jobs_bp, programme_bp, users_bp)
