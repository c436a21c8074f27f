"""Against people who try out stolen cards: many declined charges end an intent, and a browser's turn.

Generous for people, also for many behind one address of an office or a school.
"""

import logging
from datetime import timedelta

from server.audit import service as audit
from server.audit.records import Actor
from server.checkout import payment_repository, repository
from server.clock import now
from server.database.session import in_transaction, release
from server.integrations.gateways import gateways

MAX_DECLINES = 10  # on one intent
DECLINES_COUNT_FOR = timedelta(hours=1)
DECLINES_PER_BROWSER = 20
DECLINES_PER_IP = 60

ACTOR = Actor.job("card testing")

log = logging.getLogger("playbill.checkout")


async def too_many_declines(viewer_id: str, ip_mac: str) -> bool:
    """Whether no card may follow: so many of this viewer, or from this network, were declined lately."""
    by_viewer, by_ip = await payment_repository.recent_declines(viewer_id, ip_mac, now() - DECLINES_COUNT_FOR)
    return by_viewer >= DECLINES_PER_BROWSER or by_ip >= DECLINES_PER_IP


async def stop(order_id: str, intent_id: str, declines: int) -> bool:
    """Cancel an intent on which a card was declined once too often; whether it was.

    Also by what was declined elsewhere: secrets of many orders can be gathered first and used later.
    """
    order = await repository.look(order_id)
    if declines < MAX_DECLINES and not await too_many_declines(order.viewer_id, order.ip_mac):
        return False
    await release()
    log.warning("intent %s: too many declined charges, closing it", intent_id)
    await gateways().stripe.cancel_intent(intent_id)
    facts = {"declines": declines}
    await in_transaction(audit.note, ACTOR, "order.close_payment", "order", order.number, after=facts)
    return True
