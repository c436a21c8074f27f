"""Never lost, and never twice for one row."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.clock import now
from server.database.session import session_scope, transaction
from server.integrations import smtp
from server.mail import repository, worker
from server.mail.models import MailState
from server.settings import Settings
from tests.conftest import free_port
from tests.mail.conftest import Outbox

PAST = timedelta(days=1)


class PowerCut(Exception):
    """A worker that ends in the middle."""


async def test_mail_goes_out_only_if_its_transaction_commits(outbox: Outbox) -> None:
    with pytest.raises(PowerCut):
        async with transaction():
            await repository.add_once(
                id="x" * 16,
                once_key="never",
                recipient="reader@mail.example",
                subject="Never",
                text="",
                html="",
                created_at=now(),
                next_try_at=now(),
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
    assert (row.state, row.tries, row.held_until) == (MailState.WAITING, 1, None)
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


async def test_server_that_is_away_costs_one_mail_a_try_and_not_all(
    outbox: Outbox, settings: Settings
) -> None:
    await outbox.put(1)
    await outbox.put(2)
    smtp.connect(settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{free_port()}"}))

    await worker.send_waiting()

    assert [row.tries for row in await outbox.rows()] == [1, 0]


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
