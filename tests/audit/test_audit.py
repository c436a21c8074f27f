"""The audit's entries: written with the act, read by admins."""

import pytest

from server.audit import service as audit
from server.audit.records import Actor
from server.database.session import TransactionMisuse, transaction

pytestmark = pytest.mark.usefixtures("session")


async def test_an_entry_tells_who_did_what_to_what() -> None:
    async with transaction():
        await audit.note(
            Actor.staff("0123456789abcdef"),
            "order.refund",
            "order",
            "A-1",
            before={"refunded": 0},
            after={"refunded": 500},
        )

    [entry] = (await audit.entries(1)).items
    assert (entry.actor_kind, entry.actor_id, entry.act) == ("staff", "0123456789abcdef", "order.refund")
    assert (entry.subject, entry.subject_id) == ("order", "A-1")
    assert (entry.before, entry.after) == ({"refunded": 0}, {"refunded": 500})


async def test_an_act_that_is_rolled_back_leaves_no_entry() -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await audit.note(Actor.job("sweep"), "order.refund", "order", "A-1")
            _ = 1 // 0

    assert (await audit.entries(1)).items == []


async def test_an_entry_needs_the_transaction_of_its_act() -> None:
    with pytest.raises(TransactionMisuse):
        await audit.note(Actor.job("sweep"), "order.refund", "order", "A-1")


async def test_what_was_done_to_one_thing_is_told_from_the_first_act_on() -> None:
    async with transaction():
        for act, order in (("order.refund", "A-1"), ("order.refund", "B-2"), ("order.note", "A-1")):
            await audit.note(Actor.command("tests"), act, "order", order)

    assert [entry.act for entry in await audit.entries_of("order", "A-1")] == ["order.refund", "order.note"]
