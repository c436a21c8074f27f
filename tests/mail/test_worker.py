"""Never lost, and never twice for one row."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.admin.alerts import wording
from server.alerts import service as alerts
from server.alerts.models import AlertKind
from server.clock import now
from server.database.session import session_scope, transaction
from server.integrations.gateways import opened
from server.mail import repository, worker
from server.mail.models import MailState
from server.settings import Settings
from tests.conftest import Site
from tests.figures import figure
from tests.mail.conftest import Outbox
from tests.ports import free_port

PAST = timedelta(days=1)


class PowerCut(Exception):
    """A worker that ends in the middle."""


async def test_mail_goes_out_only_if_its_transaction_commits(outbox: Outbox) -> None:
    with pytest.raises(PowerCut):
        async with transaction():
            await repository.add_once(
                "x" * 16,
                once_key="never",
                recipient="reader@mail.example",
                subject="Never",
                text="",
                html="",
                at=now(),
            )
            raise PowerCut

    assert await worker.send_waiting() == 0
    assert outbox.delivered() == []


async def test_waiting_mail_is_sent_and_its_content_forgotten(outbox: Outbox) -> None:
    await outbox.put()

    assert await worker.send_waiting() == 1

    (message,) = outbox.delivered()
    assert message["to"] == "reader1@mail.example"
    assert "https://shop.example/login/link/1" in message["text"]
    assert "https://shop.example/login/link/1" in message["html"]
    row = await outbox.row()
    assert (row.state, row.text, row.html) == (MailState.SENT, "", "")
    assert row.sent_at is not None


async def test_sent_mail_is_not_sent_again(outbox: Outbox) -> None:
    await outbox.put()
    await worker.send_waiting()

    assert await worker.send_waiting() == 0
    assert len(outbox.delivered()) == 1


async def test_temporary_refusal_is_tried_again_after_growing_pauses_and_fails_in_the_end(
    outbox: Outbox,
) -> None:
    await outbox.put()
    await outbox.server_fails("4xx")

    pauses = []
    for _ in range(worker.TRIES - 1):
        await outbox.change(next_try_at=now() - PAST)
        before = now()
        await worker.send_waiting()
        row = await outbox.row()
        assert row.state is MailState.WAITING
        pauses.append(round((row.next_try_at - before).total_seconds() / 60))
        assert await worker.send_waiting() == 0, "it must wait"
    await outbox.change(next_try_at=now() - PAST)
    await worker.send_waiting()

    assert pauses == [1, 5, 15, 60, 240, 240, 240]
    row = await outbox.row()
    assert row.state is MailState.FAILED
    assert row.last_error.startswith("451")
    assert row.text, "staff may send it again"


async def test_mail_tried_again_arrives_once(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("4xx")
    await worker.send_waiting()
    await outbox.server_fails(None)
    await outbox.change(next_try_at=now() - PAST)

    assert await worker.send_waiting() == 1
    assert len(outbox.delivered()) == 1


async def test_permanent_refusal_fails_at_once(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("5xx")

    await worker.send_waiting()

    row = await outbox.row()
    assert (row.state, row.tries) == (MailState.FAILED, 1)
    assert row.last_error.startswith("550")


async def test_refusal_of_one_mail_does_not_stop_the_next(outbox: Outbox) -> None:
    await outbox.put(1)
    await outbox.put(2)
    await outbox.server_fails("5xx")

    await worker.send_waiting()

    assert [row.state for row in await outbox.rows()] == [MailState.FAILED, MailState.FAILED]


async def test_connection_lost_before_the_content_is_tried_again(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("drop")

    await worker.send_waiting()

    row = await outbox.row()
    assert (row.state, row.tries, row.held_until) == (MailState.WAITING, 0, None)
    assert outbox.delivered() == []


async def test_connection_lost_after_the_content_is_uncertain_and_never_sent_again(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("drop_after_data")
    await worker.send_waiting()
    await outbox.server_fails(None)
    await outbox.change(next_try_at=now() - PAST)

    assert await worker.send_waiting() == 0

    assert (await outbox.row()).state is MailState.UNCERTAIN
    assert len(outbox.delivered()) == 1


@pytest_asyncio.fixture
async def server_away(outbox: Outbox, settings: Settings) -> AsyncIterator[None]:
    async with opened(settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{free_port()}"})):
        yield


@pytest.mark.usefixtures("server_away")
async def test_server_that_is_away_puts_off_one_mail_and_not_all(outbox: Outbox) -> None:
    await outbox.put(1)
    await outbox.put(2)

    await worker.send_waiting()

    assert [bool(row.last_error) for row in await outbox.rows()] == [True, False]


@pytest.mark.usefixtures("server_away")
async def test_no_mail_is_lost_to_an_outage_however_long(outbox: Outbox, settings: Settings) -> None:
    await outbox.put()

    pauses = []
    for hours in (0, 1, 5, 24, 24 * 7):
        await outbox.change(created_at=now() - timedelta(hours=hours), next_try_at=now() - PAST)
        for _ in range(worker.TRIES):
            before = now()
            await worker.send_waiting()
            row = await outbox.row()
            assert (row.state, row.tries) == (MailState.WAITING, 0)
            pause = row.next_try_at - before
            await outbox.change(next_try_at=now() - PAST)
        pauses.append(round(pause.total_seconds() / 60))
    async with opened(settings):
        sent = await worker.send_waiting()

    assert pauses == [1, 6, 30, 60, 60]
    assert sent == 1


@pytest.mark.usefixtures("server_away")
async def test_staff_are_told_of_an_outage_once_a_day(outbox: Outbox) -> None:
    await outbox.put()
    await worker.send_waiting()
    assert await alerts.open_alerts() == [], "it may be over in a minute"
    await outbox.change(created_at=now() - timedelta(hours=2))

    for _ in range(3):
        await outbox.change(next_try_at=now() - PAST)
        await worker.send_waiting()

    (alert,) = await alerts.open_alerts()
    assert alert.kind is AlertKind.MAIL_STUCK
    assert "SMTPConnectError" in wording.of_alert(alert).message


async def test_a_log_quotes_no_recipient(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """What a server answers often does; what a mail cannot be written for, too."""
    await outbox.put(1)
    await outbox.change(recipient="no address at all")
    await outbox.put(2)
    await outbox.server_fails("5xx")

    await worker.send_waiting()

    assert [row.state for row in await outbox.rows()] == [MailState.FAILED, MailState.FAILED]
    told = [record.getMessage() for record in caplog.records if record.name == "playbill.mail"]
    assert any(line.endswith("is failed: 550") for line in told)
    assert any("cannot be written" in line and "message.py" in line for line in told)
    assert "no address" not in caplog.text and "No such mailbox" not in caplog.text


@pytest.mark.parametrize("state", [MailState.WAITING, MailState.SENDING])
async def test_a_lease_from_a_clock_that_was_ahead_does_not_hold(outbox: Outbox, state: MailState) -> None:
    await outbox.put()
    await outbox.change(state=state, held_until=now() + timedelta(days=3))

    await worker.send_waiting()

    expected = MailState.SENT if state is MailState.WAITING else MailState.UNCERTAIN
    assert (await outbox.row()).state is expected


async def test_a_mail_put_off_by_a_clock_that_was_ahead_is_sent(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.change(next_try_at=now() + timedelta(days=3))

    assert await worker.send_waiting() == 1


def test_honest_leases_and_pauses_stay_within_what_is_believed() -> None:
    assert max(worker.LEASE, worker.SENDING_LEASE) < repository.LONGEST_LEASE
    assert max(*worker.PAUSES, *worker.AWAY_PAUSES) < repository.LONGEST_PAUSE


async def test_worker_killed_after_the_content_leaves_an_uncertain_mail(outbox: Outbox) -> None:
    await outbox.put()
    async with transaction():
        mail = await repository.take_due(now(), held_until=now() + worker.LEASE)
        assert mail is not None
        assert await repository.start_sending(mail, held_until=now() + worker.SENDING_LEASE)

    assert await worker.send_waiting() == 0
    assert (await outbox.row()).state is MailState.SENDING, "its worker may still be at it"
    await outbox.change(held_until=now() - PAST)
    assert await worker.send_waiting() == 0

    assert (await outbox.row()).state is MailState.UNCERTAIN
    assert outbox.delivered() == []


async def test_worker_killed_before_the_content_leaves_a_mail_that_is_sent(outbox: Outbox) -> None:
    await outbox.put()
    async with transaction():
        await repository.take_due(now(), held_until=now() + worker.LEASE)

    assert await worker.send_waiting() == 0, "its worker may still be at it"
    await outbox.change(held_until=now() - PAST)

    assert await worker.send_waiting() == 1
    assert len(outbox.delivered()) == 1


async def test_mail_that_kills_every_worker_is_given_up(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.change(tries=worker.TRIES)

    assert await worker.send_waiting() == 0

    assert (await outbox.row()).state is MailState.FAILED


async def test_worker_that_outlived_its_lease_changes_nothing(outbox: Outbox) -> None:
    await outbox.put()
    async with transaction():
        slow = await repository.take_due(now(), held_until=now() - PAST)
    assert slow is not None
    async with transaction():
        quick = await repository.take_due(now(), held_until=now() + worker.LEASE)
    assert quick is not None

    async with transaction():
        assert await repository.start_sending(slow, held_until=now() + worker.SENDING_LEASE) is None
        assert not await repository.try_again(slow, now(), "slow")
        assert not await repository.give_up(slow, MailState.FAILED, "slow")
        sending = await repository.start_sending(quick, held_until=now() + worker.SENDING_LEASE)
        assert sending is not None
        await repository.mark_sent(slow, now())

    assert (await outbox.row()).state is MailState.SENDING


async def test_answer_after_the_mail_was_given_up_still_counts(outbox: Outbox) -> None:
    await outbox.put()
    async with transaction():
        mail = await repository.take_due(now(), held_until=now() + worker.LEASE)
        assert mail is not None
        mail = await repository.start_sending(mail, held_until=now() - PAST)
        assert mail is not None
    await worker.send_waiting()
    assert (await outbox.row()).state is MailState.UNCERTAIN

    async with transaction():
        await repository.mark_sent(mail, now())

    assert (await outbox.row()).state is MailState.SENT


async def test_workers_at_the_same_time_send_each_mail_once(
    outbox: Outbox, sessions: async_sessionmaker[Any]
) -> None:
    for number in range(12):
        await outbox.put(number)

    async def work() -> int:
        async with session_scope(sessions):
            return await worker.send_waiting()

    sent = await asyncio.gather(*(work() for _ in range(4)))

    assert sum(sent) == 12
    recipients = [message["to"] for message in outbox.delivered()]
    assert sorted(recipients) == sorted(f"reader{number}@mail.example" for number in range(12))


async def test_mail_that_cannot_be_written_does_not_stop_those_behind_it(outbox: Outbox) -> None:
    await outbox.put(1)
    await outbox.change(recipient="no address at all")
    await outbox.put(2)

    assert await worker.send_waiting() == 1

    assert [row.state for row in await outbox.rows()] == [MailState.FAILED, MailState.SENT]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(None, "sent"), ("4xx", "retried"), ("5xx", "failed"), ("drop_after_data", "uncertain")],
)
async def test_every_try_is_counted_by_its_outcome(
    site: Site, outbox: Outbox, fault: str | None, outcome: str
) -> None:
    operator = site.client()
    await outbox.put()
    await outbox.server_fails(fault)
    before = await figure(operator, "playbill_mail_total", outcome=outcome)

    await worker.send_waiting()

    assert await figure(operator, "playbill_mail_total", outcome=outcome) == before + 1


async def test_a_mail_whose_worker_was_killed_is_counted_as_uncertain(site: Site, outbox: Outbox) -> None:
    operator = site.client()
    await outbox.put()
    async with transaction():
        mail = await repository.take_due(now(), held_until=now() + worker.LEASE)
        assert mail is not None
        assert await repository.start_sending(mail, held_until=now() - PAST)
    before = await figure(operator, "playbill_mail_total", outcome="uncertain")

    await worker.send_waiting()

    assert await figure(operator, "playbill_mail_total", outcome="uncertain") == before + 1
