"""Who of the team may do what, and who decided it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.accounts import service as accounts
from server.accounts.models import Role
from server.accounts.roles import LastAdmin, OwnRole
from server.audit.models import ActorKind
from server.audit.records import Actor
from server.database.session import session_scope
from server.errors import NotFound
from tests.factories import TESTER, create_account, entries_of


async def test_a_changed_role_is_written_down_once(session: None) -> None:
    admin = await create_account("admin@mail.example", Role.ADMIN)
    vera = await create_account("vera@mail.example")

    for _ in range(2):
        await accounts.change_role(Actor.staff(admin.id), vera.id, Role.EDITOR)

    created, changed = await entries_of("account", vera.id)
    assert created.act == "account.create"
    assert (changed.act, changed.actor_kind, changed.actor_id) == (
        "account.change_role",
        ActorKind.STAFF,
        admin.id,
    )
    assert (changed.before, changed.after) == ({"role": "viewer"}, {"role": "editor"})


async def test_a_refused_change_of_role_is_not_written_down(session: None) -> None:
    admin = await create_account("admin@mail.example", Role.ADMIN)

    with pytest.raises(LastAdmin):
        await accounts.change_role(TESTER, admin.id, Role.VIEWER)

    assert [entry.act for entry in await entries_of("account", admin.id)] == ["account.create"]


async def test_nobody_changes_their_own_role_and_the_last_admin_stays(session: None) -> None:
    admin = await create_account("admin@mail.example", Role.ADMIN)
    vera = await create_account("vera@mail.example")

    with pytest.raises(OwnRole):
        await accounts.change_role(Actor.staff(admin.id), admin.id, Role.VIEWER)
    with pytest.raises(LastAdmin):
        await accounts.change_role(Actor.staff(vera.id), admin.id, Role.VIEWER)
    await accounts.change_role(Actor.staff(admin.id), vera.id, Role.ADMIN)
    await accounts.change_role(Actor.staff(vera.id), admin.id, Role.EDITOR)
    assert (await accounts.get(admin.id)).role is Role.EDITOR


async def test_an_id_with_a_blank_behind_is_no_way_round(session: None) -> None:
    """MariaDB finds the row all the same, SQLite does not."""
    one = await create_account("one@mail.example", Role.ADMIN)
    two = await create_account("two@mail.example", Role.ADMIN)

    with pytest.raises((OwnRole, NotFound)):
        await accounts.change_role(Actor.staff(one.id), f"{one.id} ", Role.VIEWER)
    await accounts.change_role(Actor.staff(one.id), two.id, Role.VIEWER)
    with pytest.raises((LastAdmin, NotFound)):
        await accounts.change_role(Actor.staff(two.id), f"{one.id} ", Role.VIEWER)

    assert (await accounts.get(one.id)).role is Role.ADMIN


async def test_two_admins_cannot_unmake_each_other(session: None, sessions: async_sessionmaker[Any]) -> None:
    one = await create_account("one@mail.example", Role.ADMIN)
    two = await create_account("two@mail.example", Role.ADMIN)

    async def unmake(victim: str, by: str) -> bool:
        async with session_scope(sessions):
            try:
                await accounts.change_role(Actor.staff(by), victim, Role.VIEWER)
            except LastAdmin:
                return False
            return True

    done = await asyncio.gather(unmake(one.id, two.id), unmake(two.id, one.id))

    assert sorted(done) == [False, True]


async def test_nobody_unknown_gets_a_role(session: None) -> None:
    with pytest.raises(NotFound):
        await accounts.change_role(Actor.staff("1" * 16), "0" * 16, Role.ADMIN)
