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


async def test_what_was_done_to_these_things_is_told_without_the_rest_newest_first() -> None:
    async with transaction():
        for act, one in (("order.refund", "A-1"), ("order.refund", "B-2"), ("order.note", "A-1")):
            await audit.note(Actor.command("tests"), act, "order", one)
        await audit.note(Actor.command("tests"), "job.start", "job", "A-1")

    of_one = await audit.entries(1, {"order": ["A-1"]})
    of_several = await audit.entries(1, {"order": ["A-1", "B-2"], "job": ["A-1"]}, size=3)

    assert [entry.act for entry in of_one.items] == ["order.note", "order.refund"]
    assert [entry.subject for entry in of_several.items] == ["job", "order", "order"]
    assert (of_one.total, of_several.total) == (2, 4)


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
