"""What happens when somebody proves an address: purchases and progress that wait for it move."""

from collections.abc import Collection

from server.accounts.records import AccountRecord
from server.checkout import service as checkout
from server.playback import service as playback


async def claim(account: AccountRecord) -> None:
    """In the caller's transaction."""
    for claimed in await checkout.claim_orders(account, _begun):
        await playback.move_progress(claimed.from_viewer, account.id, claimed.course_ids)


async def _begun(viewer_id: str) -> Collection[str]:
    return await playback.course_progress((viewer_id,))
