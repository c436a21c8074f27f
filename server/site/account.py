"""A person's own page: profile, orders, the browsers that are signed in."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.accounts import service as accounts
from server.accounts.forms import ProfileForm
from server.checkout import service as checkout
from server.tokens import token_hash
from server.web import cookies
from server.web.audience import Audience, audience
from server.web.forms import Filled, FormInvalid, refilled
from server.web.templating import page, redirect

bp = Blueprint("account")


@bp.get("/account")
@audience(Audience.SIGNED_IN)
async def show(request: Request) -> HTTPResponse:
    account = request.ctx.account
    return await _overview(request, Filled({"name": account.name, "locale": account.locale}))


@bp.post("/account")
@audience(Audience.SIGNED_IN)
async def save_profile(request: Request) -> HTTPResponse:
    try:
        form = ProfileForm.parse(request.form)
    except FormInvalid as error:
        return await _overview(request, refilled(request.form, error), status=error.status)
    await accounts.save_profile(request.ctx.account.id, form.name, form.locale)
    response = redirect("/account", notice="profile_saved")
    # An older choice of this browser would hide the one just made.
    cookies.put(response, cookies.LANGUAGE, form.locale, max_age=cookies.YEAR_S)
    return response


async def _overview(request: Request, form: Filled, **more: Any) -> HTTPResponse:
    sign_ins = await accounts.sign_ins_of(request.ctx.account.id)
    orders = await checkout.orders_of(request.ctx.viewer)
    here = token_hash(cookies.read(request, cookies.SIGN_IN) or "")
    return page(
        "site/account.html",
        form=form,
        sign_ins=sign_ins,
        current_sign_in_id=next((one.id for one in sign_ins if one.token_hash == here), None),
        orders=orders,
        **more,
    )
