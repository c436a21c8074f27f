"""The checkout page, the press of *Pay*, and the order page that waits for the money."""

from sanic import Blueprint, HTTPResponse, Request
from sanic import response as sanic_response

from server.access import service as access
from server.accounts import service as accounts
from server.catalog import service as catalog
from server.checkout import service as checkout
from server.checkout.errors import AlreadyOwned, BoughtAndClaimed, OrderAlreadyPaid
from server.checkout.forms import GuestPayForm, PayForm
from server.checkout.records import OrderRecord
from server.checkout.service import Buyer, Press
from server.errors import TooMany
from server.i18n import N_
from server.settings import settings
from server.tokens import new_token, order_key_id
from server.web import cookies, security
from server.web.audience import Audience, audience
from server.web.forms import Filled
from server.web.origin import stands_on_public_pages
from server.web.templating import page, redirect
from server.web.visitor import client_ip

bp = Blueprint("checkout")


@bp.get("/checkout/<slug:str>")
@audience(Audience.ALL)
async def pay_page(request: Request, slug: str) -> HTTPResponse:
    """Order summary and card form; nothing is ordered before *Pay* is pressed."""
    course = await catalog.course_for_sale(slug)
    try:
        await checkout.refuse_owner(request.ctx.account, request.ctx.viewer, [course.id])
    except BoughtAndClaimed:
        return page("checkout/claimed.html", course=course, form=Filled())
    except (AlreadyOwned, OrderAlreadyPaid):
        return redirect(f"/learn/{slug}")
    price = catalog.price_in(course, request.ctx.currency)
    if price is None:
        return redirect(f"/courses/{slug}")
    quote = await checkout.quote([slug], price.currency)
    response = page(
        "checkout/pay.html",
        sources=security.stripe_sources(),
        course=course,
        quote=quote,
        payment_methods=checkout.PAYMENT_METHODS,
        stripe_js_url=settings().stripe_js_url,
        publishable_key=settings().stripe_publishable_key,
    )
    if cookies.read(request, cookies.ORDER_KEY) is None:
        # Now, not at the first press: two presses at once must come from one and the same browser. An
        # account's browser gets one as well: whoever signs out in between is still the same buyer.
        cookies.put(response, cookies.ORDER_KEY, new_token(), max_age=cookies.YEAR_S)
    return response


@bp.post("/checkout/<slug:str>/sign-in-link")
@audience(Audience.ALL)
@stands_on_public_pages(N_("Send me a sign-in link"))
async def send_claimed_link(request: Request, slug: str) -> HTTPResponse:
    """For a browser whose purchase is in an account now: to the account's address, which is not told."""
    course = await catalog.course_for_sale(slug)
    try:
        await checkout.send_claimed_link(request.ctx.viewer, course.id, f"/learn/{slug}", client_ip(request))
    except TooMany as error:
        refused = Filled(errors={"": error.text})
        return page("checkout/claimed.html", status=error.status, course=course, form=refused)
    return page("checkout/claimed_sent.html", minutes=accounts.LINK_MINUTES)


@bp.post("/checkout/<slug:str>/order")
@audience(Audience.ALL)
async def press_pay(request: Request, slug: str) -> HTTPResponse:
    account = request.ctx.account
    posted = request.json if isinstance(request.json, dict) else {}
    form = (PayForm if account else GuestPayForm).parse(posted)
    key = cookies.read(request, cookies.ORDER_KEY) or new_token()
    buyer = Buyer(
        account=account,
        order_key_id=order_key_id(key),
        email=account.email if account else form.email,
        ip=client_ip(request),
    )
    order = await checkout.open_order(Press(buyer, (slug,), form.currency, form.digest))
    response = sanic_response.json(
        {
            "order": order.number,
            "client_secret": order.client_secret,
            "amount": order.amount,
            "currency": order.currency,
        },
        headers={"Cache-Control": "no-store"},
    )
    cookies.put(response, cookies.ORDER_KEY, key, max_age=cookies.YEAR_S)
    return response


@bp.get("/orders/<number:str>")
@audience(Audience.BUYER)
async def order_page(request: Request, number: str) -> HTTPResponse:
    """Receipt and state. Also the address that a payment returns to: it asks, it does not decide."""
    order = await _order_for(request, number)
    order = await checkout.look_again(order)
    watch_url = await _watch_url(request, order)
    return page("checkout/order.html", order=order, watch_url=watch_url)


@bp.get("/orders/<number:str>/status")
@audience(Audience.BUYER)
async def order_status(request: Request, number: str) -> HTTPResponse:
    order = await checkout.buyers_order(request.ctx.viewer, number)
    order = await checkout.look_again(order)
    # Nothing can be paid any more: whoever waits for it is told, and may press again.
    status = "unpaid" if order.is_pending and not order.waits_for_money else order.status
    return sanic_response.json(
        {"status": status, "watch_url": await _watch_url(request, order)},
        headers={"Cache-Control": "no-store"},
    )


async def _order_for(request: Request, number: str) -> OrderRecord:
    account = request.ctx.account
    if account is not None and account.is_support:
        return await checkout.get_order_for_staff(number)
    return await checkout.buyers_order(request.ctx.viewer, number)


async def _watch_url(request: Request, order: OrderRecord) -> str | None:
    """Where this visitor watches what was bought; None until paid, and after a refund or a claim."""
    if order.is_paid and await access.open_course_ids(request.ctx.viewer, order.course_ids):
        return order.watch_path
    return None
