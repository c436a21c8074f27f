"""Staff pages of people: find somebody, see why they may watch what, give and revoke access."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sanic import Blueprint, HTTPResponse, Request

from server.access import service as access
from server.access.records import GrantRecord, Standing, Viewer
from server.accounts import service as accounts
from server.accounts.models import Role
from server.accounts.records import AccountRecord
from server.admin import service
from server.admin.acting import actor_of
from server.admin.audit import reading
from server.admin.users.forms import GivenByHand, GrantByEmailForm, GrantForm, RoleForm
from server.catalog import service as catalog
from server.checkout import service as checkout
from server.clock import now
from server.i18n import current_locale, pick
from server.paging import page_number
from server.playback import service as playback
from server.playback.records import percent_watched
from server.web.audience import Audience, audience
from server.web.forms import Filled, FormInvalid, refilled
from server.web.templating import page, redirect

bp = Blueprint("admin_users")


@bp.get("/admin/users")
@audience(Audience.SUPPORT)
async def user_list(request: Request) -> HTTPResponse:
    return await _list_page(request, Filled())


async def _list_page(request: Request, form: Filled, status: int = 200) -> HTTPResponse:
    query = (request.args.get("q") or "").strip()
    found = await accounts.list_accounts(query, page_number(request.args.get("page")))
    course_options = await _course_options()
    return page(
        "admin/users.html",
        status=status,
        users=found.items,
        page=found,
        query={"q": query} if query else {},
        form=form,
        course_options=course_options,
        reasons=get_args(GivenByHand),
    )


@bp.post("/admin/users/grants")
@audience(Audience.SUPPORT)
async def give_by_email(request: Request) -> HTTPResponse:
    """Access for an address that may have no account yet."""
    try:
        form = GrantByEmailForm.parse(request.form)
        account = await service.give_access_by_email(
            actor_of(request), form.email, current_locale(), _gift(form)
        )
    except (FormInvalid, access.GivenAlready) as error:
        return await _list_page(request, refilled(request.form, error), error.status)
    return redirect(f"/admin/users/{account.id}", notice="grant_given")


@bp.get("/admin/users/<user_id:str>")
@audience(Audience.SUPPORT)
async def user_detail(request: Request, user_id: str) -> HTTPResponse:
    return await _detail(request, await accounts.get(user_id), Filled())


@bp.post("/admin/users/<user_id:str>/grants")
@audience(Audience.SUPPORT)
async def give(request: Request, user_id: str) -> HTTPResponse:
    account = await accounts.get(user_id)
    try:
        await service.give_access(actor_of(request), user_id, _gift(GrantForm.parse(request.form)))
    except (FormInvalid, access.GivenAlready) as error:
        return await _detail(request, account, refilled(request.form, error), error.status)
    return redirect(f"/admin/users/{user_id}", notice="grant_given")


@bp.post("/admin/users/<user_id:str>/grants/<grant_id:str>/revoke")
@audience(Audience.SUPPORT)
async def revoke(request: Request, user_id: str, grant_id: str) -> HTTPResponse:
    await service.revoke_access(actor_of(request), user_id, grant_id)
    return redirect(f"/admin/users/{user_id}", notice="grant_revoked")


@bp.post("/admin/users/<user_id:str>/role")
@audience(Audience.ADMIN)
async def change_role(request: Request, user_id: str) -> HTTPResponse:
    form = RoleForm.parse(request.form)
    await accounts.change_role(actor_of(request), user_id, form.role)
    return redirect(f"/admin/users/{user_id}", notice="role_changed")


def _gift(form: GrantForm) -> service.Gift:
    return service.Gift(form.course, form.reason, form.note, form.ends_on)


@dataclass(frozen=True, slots=True)
class Holding:
    """A grant as support reads it: which course, why, since and until when, how far it was watched."""

    grant: GrantRecord
    course_title: Mapping[str, str]
    standing: Standing
    order_number: str | None
    progress_percent: int

    @property
    def last_day(self) -> datetime | None:
        """A moment of the last day: an end at midnight belongs to the day before."""
        return self.grant.ends_at - timedelta(microseconds=1) if self.grant.ends_at else None


async def _detail(request: Request, account: AccountRecord, form: Filled, status: int = 200) -> HTTPResponse:
    orders = await checkout.orders_of(Viewer(account_id=account.id))
    context: dict[str, Any] = {
        "user": account,
        "orders": orders,
        "holdings": await _holdings(
            account, {item.id: order.number for order in orders for item in order.items}
        ),
        "course_options": await _course_options(),
        "reasons": get_args(GivenByHand),
        "roles": Role,
        "form": form,
        "acts": await reading.latest("account", account.id) if request.ctx.account.is_admin else [],
    }
    return page("admin/user.html", status=status, **context)


async def _holdings(account: AccountRecord, numbers: Mapping[str, str]) -> list[Holding]:
    grants = await access.grants_of(account.id)
    courses = await catalog.titles(grant.course_id for grant in grants)
    progress = await playback.course_progress((account.id,))
    at = now()
    return [
        Holding(
            grant=grant,
            course_title=courses[grant.course_id].title,
            standing=grant.standing(at),
            order_number=numbers.get(grant.order_item_id or ""),
            progress_percent=percent_watched(progress.get(grant.course_id)),
        )
        for grant in grants
    ]


async def _course_options() -> list[tuple[str, str]]:
    """Every course that can be given: also one that left the catalog."""
    return sorted(((one.id, pick(one.title)) for one in await catalog.all_courses()), key=lambda one: one[1])
