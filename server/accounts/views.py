"""Signing up, in and out; a person's own password and browsers."""

from typing import Any
from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request

from server.accounts import links, profile, sign_ins, signing_in
from server.accounts.forms import LinkForm, PasswordForm, SignInForm
from server.accounts.links import LinkGone
from server.accounts.passwords import PasswordTooShort
from server.accounts.profile import WrongPassword
from server.accounts.sign_ins import Browser
from server.accounts.signing_in import SignInRefused
from server.checkout import service as checkout
from server.claiming import service as claiming
from server.errors import PlaybillError, TooMany, Unavailable
from server.i18n import N_
from server.web import cookies
from server.web.audience import Audience, audience
from server.web.forms import Filled, FormInvalid, refilled
from server.web.origin import stands_on_public_pages
from server.web.templating import own_path, page, redirect
from server.web.visitor import client_ip

bp = Blueprint("accounts")

HOME = "/learn"


@bp.get("/signup")
@audience(Audience.ALL)
async def show_sign_up(request: Request) -> HTTPResponse:
    return _door(request, "accounts/signup.html")


@bp.post("/signup")
@audience(Audience.ALL)
async def sign_up(request: Request) -> HTTPResponse:
    """The same as asking for a link: the link makes the account or opens the one that is there."""
    return await _send_link(request, "accounts/signup.html")


@bp.get("/login/link")
@audience(Audience.ALL)
async def show_link_request(request: Request) -> HTTPResponse:
    return _door(request, "accounts/link_request.html")


@bp.post("/login/link")
@audience(Audience.ALL)
async def request_link(request: Request) -> HTTPResponse:
    return await _send_link(request, "accounts/link_request.html")


@bp.get("/login/link/<token:str>")
@audience(Audience.ALL)
async def show_link(request: Request, token: str) -> HTTPResponse:
    """A page with one button. Mail scanners open links, so opening spends nothing."""
    try:
        link = await links.look_at_link(token)
    except LinkGone as error:
        account = request.ctx.account
        onward = await links.followed_before(account, token) if account else None
        return _link_gone(error) if onward is None else redirect(own_path(onward, HOME))
    return _unlinked(page("accounts/link.html", token=token, email=link.email))


@bp.post("/login/link/<token:str>")
@audience(Audience.ALL)
async def follow_link(request: Request, token: str) -> HTTPResponse:
    try:
        followed = await claiming.follow_link(token, _browser(request))
    except LinkGone as error:
        return _link_gone(error)
    onward = own_path(followed.next, HOME)
    if followed.is_first:
        onward = f"/account/password?next={quote(onward, safe='/')}"
    return _signed_in(redirect(onward, notice="signed_in"), followed.sign_in_token)


@bp.get("/login")
@audience(Audience.ALL)
async def show_sign_in(request: Request) -> HTTPResponse:
    return _door(request, "accounts/login.html")


@bp.post("/login")
@audience(Audience.ALL)
async def sign_in(request: Request) -> HTTPResponse:
    try:
        form = SignInForm.parse(request.form)
        token = await signing_in.sign_in(form.email, form.password, _browser(request))
    except (FormInvalid, SignInRefused, TooMany, Unavailable) as error:
        return _again("accounts/login.html", request, error)
    return _signed_in(redirect(own_path(form.next, HOME), notice="signed_in"), token)


@bp.post("/logout")
@audience(Audience.ALL)
@stands_on_public_pages(N_("Sign out"))
async def sign_out(request: Request) -> HTTPResponse:
    if token := cookies.read(request, cookies.SIGN_IN):
        await sign_ins.sign_out(token)
    response = redirect("/login", notice="signed_out")
    cookies.drop(response, cookies.SIGN_IN)
    # The next person at this computer must not watch what a guest bought here either. A key that opens
    # nothing stays: it tells that this browser has pressed *Pay* before.
    if (key_id := request.ctx.viewer.order_key_id) and await checkout.opens_anything(key_id):
        cookies.drop(response, cookies.ORDER_KEY)
    return response


# A signed-in person's own pages


@bp.get("/account/password")
@audience(Audience.SIGNED_IN)
async def show_password(request: Request) -> HTTPResponse:
    return await _password_page(request, Filled(), request.args.get("next"))


@bp.post("/account/password")
@audience(Audience.SIGNED_IN)
async def set_password(request: Request) -> HTTPResponse:
    account = request.ctx.account
    try:
        form = PasswordForm.parse(request.form)
        await profile.set_password(account.id, _browser(request), form.password, form.present)
    except (FormInvalid, PasswordTooShort, WrongPassword, TooMany, Unavailable) as error:
        typed = refilled(request.form, error)
        return await _password_page(request, typed, typed.values.get("next"), status=error.status)
    if form.name and not account.name:
        await profile.save_profile(account.id, form.name, account.locale)
    return redirect(own_path(form.next, "/account"), notice="password_set")


@bp.post("/account/sign-ins/<sign_in_id:str>/end")
@audience(Audience.SIGNED_IN)
async def end_sign_in(request: Request, sign_in_id: str) -> HTTPResponse:
    await sign_ins.end_sign_in(request.ctx.account.id, sign_in_id)
    return redirect("/account", notice="sign_in_ended")


@bp.post("/account/sign-ins/end-others")
@audience(Audience.SIGNED_IN)
async def end_other_sign_ins(request: Request) -> HTTPResponse:
    await sign_ins.end_other_sign_ins(request.ctx.account.id, _token(request))
    return redirect("/account", notice="sign_ins_ended")


# How they are answered


def _door(request: Request, template: str) -> HTTPResponse:
    onward = own_path(request.args.get("next"), HOME)
    if request.ctx.account:
        return redirect(onward)
    return page(template, form=Filled(), next=onward)


async def _send_link(request: Request, template: str) -> HTTPResponse:
    try:
        form = LinkForm.parse(request.form)
        await links.send_link(form.email, own_path(form.next, HOME), client_ip(request))
    except (FormInvalid, TooMany) as error:
        return _again(template, request, error)
    return page("accounts/link_sent.html", email=form.email, minutes=links.LINK_MINUTES)


def _again(template: str, request: Request, error: PlaybillError) -> HTTPResponse:
    form = refilled(request.form, error)
    return page(template, status=error.status, form=form, next=own_path(form.values.get("next"), HOME))


def _browser(request: Request) -> Browser:
    return Browser(
        ip=client_ip(request),
        user_agent=request.headers.get("user-agent", "").encode("ascii", "replace").decode(),
        sign_in_token=cookies.read(request, cookies.SIGN_IN),
    )


def _signed_in(response: HTTPResponse, token: str) -> HTTPResponse:
    # How long it is good for is the database's to say: every visit prolongs it there.
    cookies.put(response, cookies.SIGN_IN, token, max_age=cookies.YEAR_S)
    return response


def _link_gone(error: LinkGone) -> HTTPResponse:
    return _unlinked(page("accounts/link_gone.html", status=error.status, form=Filled(), next=HOME))


def _unlinked(response: HTTPResponse) -> HTTPResponse:
    # The address of this page is a key; no other page needs to be told of it.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def _password_page(request: Request, form: Filled, onward: str | None, **more: Any) -> HTTPResponse:
    asks_present = await profile.asks_present_password(request.ctx.account.id, _token(request))
    return page(
        "accounts/password.html",
        form=form,
        asks_present=asks_present,
        next=own_path(onward, "/account"),
        **more,
    )


def _token(request: Request) -> str:
    token = cookies.read(request, cookies.SIGN_IN)
    assert token is not None, "the audience is signed in"
    return token
