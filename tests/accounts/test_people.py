"""Whose account an address finds, and what staff and the operator open."""

import pytest

from server.accounts import service as accounts
from server.accounts.browsers import browser_name
from server.accounts.models import Role
from server.accounts.people import AddressTaken
from server.audit.models import ActorKind
from server.database.session import transaction
from server.errors import NotFound
from tests.factories import TESTER, create_account, entries_of


async def test_an_accent_makes_another_address(session: None) -> None:
    await create_account("jose@mail.example")

    assert await accounts.find_by_email("josé@mail.example") is None
    assert await accounts.find_by_email("JOSE@mail.example") is not None


async def test_one_account_per_address_whatever_its_case(session: None) -> None:
    await create_account("vera@mail.example")

    with pytest.raises(AddressTaken):
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


async def test_unknown_account_is_not_found(session: None) -> None:
    with pytest.raises(NotFound):
        await accounts.get("0" * 16)


async def test_an_account_made_by_command_is_written_down(session: None) -> None:
    account = await create_account("admin@mail.example", Role.ADMIN)

    (entry,) = await entries_of("account", account.id)
    assert (entry.act, entry.actor_kind, entry.actor_id) == ("account.create", ActorKind.COMMAND, TESTER.id)
    assert entry.after == {"role": "admin"}


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
