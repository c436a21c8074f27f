"""A followed link, and what waits for its address: one act over accounts, orders and progress."""

from collections.abc import Collection

from server.accounts import service as accounts
from server.accounts.service import Browser, FollowedLink
from server.checkout import service as checkout
from server.database.session import transactional
from server.playback import service as playback


@transactional
async def follow_link(token: str, browser: Browser) -> FollowedLink:
    """Spend a mailed link: its address is proven, its account made or opened, this browser signed in.

    What was bought with that address moves into the account, with what was watched of it; or nothing of
    all this happened, and the link still works. Raises LinkGone.
    """
    followed = await accounts.spend_link(token, browser)
    for claimed in await checkout.claim_orders(followed.account, _begun):
        await playback.move_progress(claimed.from_viewer, followed.account.id, claimed.course_ids)
    return followed


async def _begun(viewer_id: str) -> Collection[str]:
    return await playback.course_progress((viewer_id,))
