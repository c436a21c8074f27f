"""What was bought in this browser and is in an account now: not sold again, and the way in is mailed."""

from server.access.records import Viewer
from server.accounts import service as accounts
from server.checkout import repository
from server.errors import NotFound


async def claimed_elsewhere(viewer: Viewer, course_id: str) -> bool:
    """Whether this browser bought the course and has to sign in to watch it.

    Costs nothing where somebody is signed in (they may buy for themselves) or no order key is.
    """
    return await _number(viewer, course_id) is not None


async def send_claimed_link(viewer: Viewer, course_id: str, next_path: str, ip: str) -> None:
    """Mail a sign-in link to the account that holds what this browser bought.

    Nobody is told its address: somebody else may sit at the browser by now. Raises NotFound if there is
    nothing of the kind, TooManyLinks.
    """
    number = await _number(viewer, course_id)
    order = await repository.get(number) if number else None
    if order is None:
        raise NotFound
    account = await accounts.get(order.viewer_id)
    await accounts.send_link(account.email, next_path, ip)


async def _number(viewer: Viewer, course_id: str) -> str | None:
    if viewer.account_id is not None or viewer.order_key_id is None:
        return None
    return await repository.paid_order_pressed_at(viewer.order_key_id, [course_id])
