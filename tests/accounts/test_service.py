"""The acts of staff and of the operator, and whose account an address finds."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.accounts import service as accounts
from server.accounts.browsers import browser_name
from server.accounts.models import Role
from server.database.session import session_scope, transaction
from server.errors import NotFound
from tests.factories import create_account


async def test_an_accent_makes_another_address(session: None) -> None:
    await create_account("jose@mail.example")

    assert await accounts.find_by_email("josé@mail.example") is None
    assert await accounts.find_by_email("JOSE@mail.example") is not None


async def test_one_account_per_address_whatever_its_case(session: None) -> None:
    await create_account("vera@mail.example")

    with pytest.raises(accounts.AddressTaken):
        await create_account("VERA@mail.example")


async def test_staff_open_an_account_that_nobody_can_sign_in_to_yet(session: None) -> None:
    async with transaction():
        account = await accounts.open_unproven("new@mail.example", "ko")
    async with transaction():
        again = await accounts.open_unproven("NEW@mail.example", "en")

    assert not account.is_proven
    assert again.id == account.id


async def test_accounts_are_found_by_a_part_of_address_or_name(session: None) -> None:
    await create_account("vera@mail.example")
    await create_account("anna_b@mail.example")

    async def found(query: str) -> list[str]:
        return [account.email for account in (await accounts.list_accounts(query, 1)).items]

    assert await found("ERA@") == ["vera@mail.example"]
    assert await found("nna_b") == ["anna_b@mail.example"]
    assert await found("%") == []
    assert len(await found("vera")) == 2, "both are named Vera"
    assert (await accounts.list_accounts("", 1)).total == 2


async def test_nobody_changes_their_own_role_and_the_last_admin_stays(session: None) -> None:
    admin = await create_account("admin@mail.example", Role.ADMIN)
    vera = await create_account("vera@mail.example")

    with pytest.raises(accounts.OwnRole):
        await accounts.change_role(admin.id, Role.VIEWER, by=admin.id)
    with pytest.raises(accounts.LastAdmin):
        await accounts.change_role(admin.id, Role.VIEWER, by=vera.id)
    await accounts.change_role(vera.id, Role.ADMIN, by=admin.id)
    await accounts.change_role(admin.id, Role.EDITOR, by=vera.id)
    assert (await accounts.get(admin.id)).role is Role.EDITOR


async def test_an_id_with_a_blank_behind_is_no_way_round(session: None) -> None:
    """MariaDB finds the row all the same, SQLite does not."""
    one = await create_account("one@mail.example", Role.ADMIN)
    two = await create_account("two@mail.example", Role.ADMIN)

    with pytest.raises((accounts.OwnRole, NotFound)):
        await accounts.change_role(f"{one.id} ", Role.VIEWER, by=one.id)
    await accounts.change_role(two.id, Role.VIEWER, by=one.id)
    with pytest.raises((accounts.LastAdmin, NotFound)):
        await accounts.change_role(f"{one.id} ", Role.VIEWER, by=two.id)

    assert (await accounts.get(one.id)).role is Role.ADMIN


async def test_two_admins_cannot_unmake_each_other(session: None, sessions: async_sessionmaker[Any]) -> None:
    one = await create_account("one@mail.example", Role.ADMIN)
    two = await create_account("two@mail.example", Role.ADMIN)

    async def unmake(victim: str, by: str) -> bool:
        async with session_scope(sessions):
            try:
                await accounts.change_role(victim, Role.VIEWER, by=by)
            except accounts.LastAdmin:
                return False
            return True

    done = await asyncio.gather(unmake(one.id, two.id), unmake(two.id, one.id))

    assert sorted(done) == [False, True]


async def test_unknown_account_is_not_found(session: None) -> None:
    with pytest.raises(NotFound):
        await accounts.get("0" * 16)
    with pytest.raises(NotFound):
        await accounts.change_role("0" * 16, Role.ADMIN, by="1" * 16)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) SamsungBrowser/26.0 Chrome/122.0 Safari/537.36",
            "Samsung Internet, Android",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17.0 Safari/605.1.15", "Safari, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/130.0 Safari/604.1", "Chrome, iPhone"),
        ("curl/8.5", ""),
    ],
)
def test_people_recognize_their_browser(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
