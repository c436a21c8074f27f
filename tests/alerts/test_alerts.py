"""What a person has to look at: told once, closed once, by somebody who is written down."""

import pytest

from server.accounts.models import Role
from server.alerts import service as alerts
from server.alerts.records import MailStuck
from server.audit.records import Actor
from server.database.session import transaction
from server.errors import NotFound
from tests.factories import create_account, entries_of

pytestmark = pytest.mark.usefixtures("session")


async def raised(subject: str = "mail_stuck:today") -> bool:
    async with transaction():
        return await alerts.raise_alert(MailStuck(reason="away"), subject)


async def test_a_thing_that_is_told_twice_is_one_alert() -> None:
    assert [await raised(), await raised(), await raised("mail_stuck:tomorrow")] == [True, False, True]
    assert await alerts.count_open() == len(await alerts.open_alerts()) == 2


async def test_an_alert_is_closed_once_and_it_is_written_down_by_whom() -> None:
    support = await create_account("support@mail.example", Role.SUPPORT)
    await raised()
    (alert,) = await alerts.open_alerts()

    await alerts.resolve(Actor.staff(support.id), alert.id)
    with pytest.raises(NotFound):
        await alerts.resolve(Actor.staff(support.id), alert.id)

    assert await alerts.open_alerts() == []
    (entry,) = await entries_of("alert", alert.id)
    assert (entry.act, entry.actor_id) == ("alert.resolve", support.id)
