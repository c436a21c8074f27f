"""Brakes on mailed links: a mailbox is not flooded, and nobody is locked out by a stranger."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.accounts import links
from server.clock import now
from server.database.session import current_session
from server.mail.models import Mail
from tests.accounts.conftest import Door

pytestmark = pytest.mark.usefixtures("session")

VICTIM = "victim@mail.example"


async def ask(times: int, network: str, email: str = VICTIM) -> int:
    """How many of so many links were sent."""
    sent = 0
    for number in range(times):
        try:
            await links.send_link(email.format(number), "/learn", network)
            sent += 1
        except links.TooManyLinks:
            pass
    return sent


async def mails() -> int:
    await current_session().reset()
    return await current_session().scalar(select(func.count()).select_from(Mail)) or 0


async def test_a_stranger_from_one_network_locks_nobody_out() -> None:
    assert await ask(50, "203.0.113.9") == links.PER_ADDRESS_AND_IP

    assert await ask(1, "198.51.100.7") == 1


async def test_a_stranger_at_one_address_does_not_use_up_what_an_office_may_do() -> None:
    await ask(links.PER_IP * 2, "203.0.113.9")

    assert await ask(1, "203.0.113.9", "colleague@mail.example") == 1


async def test_many_networks_together_do_not_flood_a_mailbox() -> None:
    sent = [await ask(20, f"203.0.113.{number}") for number in range(4)]

    assert sum(sent) == await mails() == links.PER_ADDRESS


async def test_one_network_does_not_flood_many_mailboxes() -> None:
    asked = links.PER_IP + 5

    assert await ask(asked, "203.0.113.9", "reader{}@mail.example") == links.PER_IP


async def test_what_a_network_is_refused_does_not_count_against_the_mailbox() -> None:
    await ask(links.PER_IP, "203.0.113.9", "reader{}@mail.example")
    await ask(links.PER_IP, "203.0.113.10", "reader{}@mail.example")
    for network in ("203.0.113.9", "203.0.113.10"):
        assert await ask(20, network) == 0

    assert await ask(1, "198.51.100.7") == 1


async def test_whoever_cannot_get_another_link_has_one_that_works(door: Door) -> None:
    """So four networks that fill the mailbox's share lock nobody out of it."""
    victim = door.person()
    link = await victim.ask_link(VICTIM)
    for number in range(4):
        await ask(20, f"203.0.113.{number}")

    refused = await victim.post("/login/link", email=VICTIM)

    assert refused.status_code == 429
    assert "it still works" in refused.text
    assert (await victim.follow(link)).status_code == 303
    lasts = timedelta(minutes=links.LINK_MINUTES)
    assert timedelta(seconds=links.WINDOW_S) <= lasts, f"asked at {now()}, refused until later"
