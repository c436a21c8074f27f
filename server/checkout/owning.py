"""What is not sold again: what this account or browser has already."""

from collections.abc import Collection

from server.access import service as access
from server.access.models import GrantState
from server.access.records import Viewer
from server.accounts.records import AccountRecord
from server.checkout import repository
from server.checkout.errors import AlreadyOwned, BoughtAndClaimed, OrderAlreadyPaid, UnderDispute, WaitsInMail
from server.clock import now


async def refuse_owner(account: AccountRecord | None, viewer: Viewer, course_ids: Collection[str]) -> None:
    """What this account owns or its address paid for, or this browser has bought, is not sold to it again.

    Raises AlreadyOwned or OrderAlreadyPaid; UnderDispute while a bank looks into what was paid; WaitsInMail
    if nobody has claimed it yet; BoughtAndClaimed if an account, perhaps another person's, holds what was
    bought in this browser. A guest's e-mail address is not asked: the answer would tell whose address it is.
    """
    at = now()
    grants = await access.held(viewer, course_ids)
    if any(one.is_open(at) for one in grants):
        raise AlreadyOwned if account else OrderAlreadyPaid
    if any(one.state is GrantState.SUSPENDED for one in grants):
        raise UnderDispute
    if account is not None:
        if account.is_proven and await repository.unclaimed_order_of(account.email_key, course_ids):
            raise WaitsInMail
    elif viewer.order_key_id and await repository.paid_order_pressed_at(viewer.order_key_id, course_ids):
        raise BoughtAndClaimed
