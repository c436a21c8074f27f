"""The audit's entries: written with the act, read by admins."""

import re

import pytest

from server.audit import service as audit
from server.audit.records import Actor
from server.database.session import TransactionMisuse, transaction
from server.settings import ROOT

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


def test_nothing_can_change_or_remove_an_entry() -> None:
    """The table is known to its repository alone, and that one only inserts and reads."""
    server = ROOT / "server"
    named = {
        path.relative_to(server).as_posix()
        for path in server.rglob("*.py")
        if re.search(r"AuditEntry|audit_entries", path.read_text("utf-8"))
    }
    repository = (server / "audit" / "repository.py").read_text("utf-8")
    [imported] = re.findall(r"from sqlalchemy import (.+)", repository)

    assert named == {"audit/models.py", "audit/repository.py"}
    assert set(imported.split(", ")) == {"func", "insert", "select"}
    assert not re.search(r"text\(|\.delete\(|\.merge\(|changed|upsert", repository)
