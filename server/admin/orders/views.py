"""Staff pages of orders: find one, see all that happened to it, refund it."""

from dataclasses import dataclass
from datetime import datetime

from sanic import Blueprint, HTTPResponse, Request

from server.access import service as access
from server.accounts import service as accounts
from server.admin.acting import actor_of
from server.admin.alerts.wording import of_alert
from server.admin.audit import reading
from server.admin.orders import wording
from server.alerts import service as alerts
from server.checkout import service as checkout
from server.checkout.models import OrderStatus
from server.checkout.records import OrderRecord
from server.clock import now
from server.errors import NotFound, PlaybillError
from server.i18n import gettext
from server.mail import service as mail
from server.paging import page_number
from server.web.audience import Audience, audience
from server.web.templating import page, redirect

bp = Blueprint("admin_orders")


@bp.get("/admin/orders")
@audience(Audience.SUPPORT)
async def order_list(request: Request) -> HTTPResponse:
    given = {name: (request.args.get(name) or "").strip() for name in ("q", "status")}
    if given["status"] not in set(OrderStatus):
        given["status"] = ""
    status = OrderStatus(given["status"]) if given["status"] else None
    found = await checkout.list_orders(given["q"], status, page_number(request.args.get("page")))
    return page(
        "admin/orders.html",
        orders=found.items,
        page=found,
        query={name: value for name, value in given.items() if value},
        statuses=OrderStatus,
    )


@bp.get("/admin/orders/<number:str>")
@audience(Audience.SUPPORT)
async def order_detail(request: Request, number: str) -> HTTPResponse:
    return await _detail(request, await checkout.get_order_for_staff(number))


@bp.post("/admin/orders/<number:str>/refund")
@audience(Audience.SUPPORT)
async def refund(request: Request, number: str) -> HTTPResponse:
    try:
        await checkout.refund_order(number, actor_of(request))
    except NotFound:
        raise
    except PlaybillError as refusal:
        return await _detail(request, await checkout.get_order_for_staff(number), refusal)
    return redirect(f"/admin/orders/{number}", notice="order_refunded")


async def _detail(request: Request, order: OrderRecord, refusal: PlaybillError | None = None) -> HTTPResponse:
    grants = await access.grants_for_items([item.id for item in order.items])
    account = None if order.is_guests else await accounts.get(order.viewer_id)
    raised = await alerts.alerts_of_order(order.number)
    mails = await mail.told_of(order.id)
    acts = await reading.latest("order", order.number) if request.ctx.account.is_admin else []
    at = now()
    return page(
        "admin/order.html",
        status=refusal.status if refusal else 200,
        order=order,
        problem=refusal.text if refusal else None,
        refundable=order.amount - order.given_back if order.is_paid else 0,
        standing={grant.order_item_id: grant.standing(at) for grant in grants},
        closes=sum(1 for grant in grants if grant.is_open(at)),
        account=account,
        alerts=[of_alert(alert) for alert in raised if alert.resolved_at is None],
        movements=_movements(order),
        mails=mails,
        acts=acts,
    )


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of what happened to the money."""

    created_at: datetime
    kind: str
    stripe_id: str | None
    status: str
    amount: int
    currency: str


def _movements(order: OrderRecord) -> list[Movement]:
    payment, refund_, dispute = gettext("Payment"), gettext("Refund"), gettext("Dispute")
    rows = [
        Movement(one.created_at, payment, one.intent_id, gettext(one.status.label), one.amount, one.currency)
        for one in order.payments
    ]
    rows += [
        Movement(
            one.created_at, refund_, one.stripe_id, wording.of_stripe(one.status), one.amount, one.currency
        )
        for one in order.refunds
    ]
    rows += [
        Movement(
            one.created_at, dispute, one.stripe_id, wording.of_stripe(one.status), one.amount, one.currency
        )
        for one in order.disputes
    ]
    return sorted(rows, key=lambda row: row.created_at)
