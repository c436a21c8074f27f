"""A mailed link proves an address, once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.accounts import repository
from server.accounts import service as accounts
from server.accounts.models import SignIn, SignInLink, User
from server.accounts.records import AccountRecord
from server.clock import now
from server.database.session import current_session, transaction
from server.tokens import new_token, token_hash
from tests.accounts.conftest import Door, Person
from tests.factories import create_account, csrf_of


async def account_of(email: str) -> AccountRecord | None:
    await current_session().reset()
    return await accounts.find_by_email(email)


async def test_link_makes_a_proven_account_and_offers_a_password(person: Person) -> None:
    answer = await person.enter("new@mail.example")

    assert answer.headers["location"] == "/account/password?next=/learn"
    assert await person.is_in()
    account = await account_of("new@mail.example")
    assert account is not None
    assert account.is_proven


async def test_link_opens_the_account_that_is_there(person: Person) -> None:
    known = await create_account("Vera@mail.example")

    answer = await person.enter("vera@MAIL.example".lower())

    assert answer.headers["location"] == "/learn"
    account = await account_of("vera@mail.example")
    assert account is not None
    assert account.id == known.id


async def test_link_leads_to_where_the_person_was_going(person: Person) -> None:
    await create_account()

    answer = await person.follow(await person.ask_link("vera@mail.example", next="/courses/first-night"))

    assert answer.headers["location"] == "/courses/first-night"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_link_never_leads_away_from_the_site(person: Person, elsewhere: str) -> None:
    await create_account()

    answer = await person.follow(await person.ask_link("vera@mail.example", next=elsewhere))

    assert answer.headers["location"] == "/learn"


async def test_opening_a_link_spends_nothing(person: Person, door: Door) -> None:
    link = await person.ask_link("new@mail.example")

    for _ in range(3):
        assert (await door.person().browser.get(link)).status_code == 200
    assert await account_of("new@mail.example") is None
    assert (await person.follow(link)).status_code == 303


async def test_link_page_says_who_one_will_be_and_tells_no_other_site(person: Person) -> None:
    page = await person.browser.get(await person.ask_link("new@mail.example"))

    assert "new@mail.example" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_link_is_spent_once(person: Person, door: Door) -> None:
    link = await person.ask_link("new@mail.example")
    other = door.person()
    opened = csrf_of((await other.browser.get(link)).text)

    assert (await person.follow(link)).status_code == 303

    pressed = await other.browser.post(link, data={"csrf_token": opened})
    assert pressed.status_code == 404, "the button of a page that was open before"
    assert not await other.is_in()


async def test_of_two_who_follow_a_link_at_once_one_wins(door: Door) -> None:
    people = [door.person() for _ in range(4)]
    link = await people[0].ask_link("new@mail.example")

    answers = await asyncio.gather(*(person.follow(link) for person in people))

    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]
    await current_session().reset()
    assert len(list(await current_session().scalars(select(SignIn)))) == 1


async def test_two_links_of_a_new_address_followed_at_once_make_one_account(door: Door) -> None:
    people = [door.person() for _ in range(2)]
    links = [await person.ask_link("new@mail.example") for person in people]

    answers = await asyncio.gather(*(person.follow(link) for person, link in zip(people, links, strict=True)))

    assert [answer.status_code for answer in answers] == [303, 303]
    await current_session().reset()
    assert len(list(await current_session().scalars(select(User)))) == 1


async def test_used_expired_and_invented_links_are_one_page(person: Person, door: Door) -> None:
    used = await person.ask_link("new@mail.example")
    await person.follow(used)
    await person.post("/logout")
    expired = await person.ask_link("old@mail.example")
    await door.age_links(expires_at=now() - timedelta(seconds=1))
    invented = f"/login/link/{new_token()}"

    pages = []
    for link in (used, expired, invented):
        page = await person.browser.get(link)
        assert page.status_code == 404
        pages.append(page.text.replace(link, "").replace(link.replace("/", "%2F"), ""))
        assert (await person.post(link)).status_code == 404

    assert pages[0] == pages[1] == pages[2]


async def test_spent_link_still_leads_on_in_the_browser_that_it_signed_in(person: Person, door: Door) -> None:
    await create_account()
    link = await person.ask_link("vera@mail.example", next="/learn/first-night")
    await person.follow(link)
    stranger = door.person()
    await stranger.enter("stranger@mail.example")

    again = await person.browser.get(link)

    assert (again.status_code, again.headers["location"]) == (303, "/learn/first-night")
    assert (await stranger.browser.get(link)).status_code == 404


async def test_only_the_hash_of_a_link_is_kept(person: Person) -> None:
    link = await person.ask_link("new@mail.example")

    row = (await current_session().scalars(select(SignInLink))).one()

    assert row.token_hash == token_hash(link.rpartition("/")[2])


async def test_first_link_ends_what_somebody_else_set_up_before_the_proof(door: Door) -> None:
    """Whoever signed up first with somebody else's address gets nothing."""
    async with transaction():
        account = await accounts.open_unproven("victim@mail.example", "en")
        await repository.set_password_hash(account.id, "$argon2id$planted")
    stranger = new_token()
    async with transaction():
        await repository.add_sign_in(
            "s" * 16,
            token_hash=token_hash(stranger),
            user_id=account.id,
            user_agent="",
            at=now(),
            expires_at=now() + timedelta(days=1),
        )

    answer = await door.person().enter("victim@mail.example")

    assert answer.headers["location"].startswith("/account/password")
    await current_session().reset()
    user = (await current_session().scalars(select(User))).one()
    assert user.password_hash is None
    assert await accounts.signed_in_account(stranger) is None


async def test_later_links_leave_password_and_other_browsers_alone(door: Door) -> None:
    await create_account()
    first = door.person()
    await first.enter("vera@mail.example")

    await door.person().enter("vera@mail.example")

    assert await first.is_in()
    user = (await current_session().scalars(select(User))).one()
    assert user.password_hash is not None


async def test_expired_links_and_sign_ins_are_forgotten(person: Person, door: Door) -> None:
    await person.ask_link("new@mail.example")
    await door.age_links(expires_at=now() - timedelta(seconds=1))
    await person.ask_link("newer@mail.example")

    await accounts.forget_expired()

    await current_session().reset()
    links = list(await current_session().scalars(select(SignInLink)))
    assert [link.email for link in links] == ["newer@mail.example"]
