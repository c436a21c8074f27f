"""Signing in by password, and what a stranger may not learn."""

import asyncio
import re
import time
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from server.accounts import links, sign_ins, signing_in
from server.accounts import service as accounts
from server.accounts.models import Role, SignIn, User
from server.clock import now
from server.database.session import current_session, transaction
from server.tokens import new_token, token_hash
from tests.accounts.conftest import SIGN_IN_COOKIE, Door, Person
from tests.engines import on_sqlite
from tests.factories import PASSWORD, create_account


def without_tokens(page: str) -> str:
    """The page, less what is random in every answer."""
    page = re.sub(r'(name="csrf-token" content|name="csrf_token" value)="[^"]*"', "", page)
    return re.sub(r"[\w.]+@mail\.example", "", page)


async def test_password_signs_in(person: Person) -> None:
    await create_account()

    answer = await person.post("/login", email="VERA@mail.example ", password=PASSWORD, next="/courses")

    assert (answer.status_code, answer.headers["location"]) == (303, "/courses")
    assert await person.is_in()
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(SIGN_IN_COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


async def test_next_never_leads_away_from_the_site(person: Person) -> None:
    await create_account()

    answer = await person.post(
        "/login", email="vera@mail.example", password=PASSWORD, next="//evil.example/learn"
    )

    assert answer.headers["location"] == "/learn"


async def test_only_the_hash_of_a_sign_in_is_kept(person: Person) -> None:
    await create_account()
    await person.post("/login", email="vera@mail.example", password=PASSWORD)

    row = (await current_session().scalars(select(SignIn))).one()

    assert person.sign_in_token
    assert row.token_hash == token_hash(person.sign_in_token)


async def test_unknown_wrong_and_unproven_are_one_answer(door: Door) -> None:
    await create_account()
    async with transaction():
        account = await accounts.open_unproven("unproven@mail.example", "en")
        await current_session().execute(
            update(User).where(User.id == account.id).values(password_hash=PasswordHasher().hash(PASSWORD))
        )

    answers = [
        await door.person().post("/login", email=email, password=password)
        for email, password in (
            ("nobody@mail.example", PASSWORD),
            ("vera@mail.example", "wrong password"),
            ("unproven@mail.example", PASSWORD),
        )
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert len({without_tokens(answer.text) for answer in answers}) == 1
    assert "do not belong together" in answers[0].text


async def test_refused_form_keeps_the_address_and_never_the_password(person: Person) -> None:
    answer = await person.post(
        "/login", email="nobody@mail.example", password="secret words", next="/courses"
    )

    assert 'value="nobody@mail.example"' in answer.text
    assert 'value="/courses"' in answer.text
    assert "secret words" not in answer.text


@on_sqlite
async def test_unknown_address_takes_as_long_as_a_wrong_password(
    session: None, earnest_hashing: None
) -> None:
    await create_account()

    async def seconds(email: str) -> float:
        started = time.perf_counter()
        with pytest.raises(signing_in.SignInRefused):
            await signing_in.sign_in(email, "wrong password", accounts.Browser("192.0.2.1", "", None))
        return time.perf_counter() - started

    await seconds("nobody@mail.example")
    # In turns, and each one's quickest: a busy machine must not look like a difference.
    known, unknown = zip(
        *[(await seconds("vera@mail.example"), await seconds("nobody@mail.example")) for _ in range(4)],
        strict=True,
    )

    assert min(unknown) > min(known) / 2


@pytest.mark.parametrize("path", ["/signup", "/login/link"])
async def test_asking_for_a_link_tells_nobody_whether_there_is_an_account(door: Door, path: str) -> None:
    await create_account()

    known, unknown = [
        await door.person().post(path, email=email) for email in ("vera@mail.example", "nobody@mail.example")
    ]

    assert known.status_code == unknown.status_code == 200
    assert without_tokens(known.text) == without_tokens(unknown.text)
    mails = await door.mails()
    assert sorted(mail["to"] for mail in mails) == ["nobody@mail.example", "vera@mail.example"]
    assert len({mail["subject"] for mail in mails}) == 1


async def test_link_request_does_the_same_work_for_every_address(door: Door) -> None:
    await create_account()
    counts = []
    for email in ("vera@mail.example", "nobody@mail.example"):
        person = door.person()
        await person.browser.get("/login/link")
        with door.site.statements() as statements:
            await person.post("/login/link", email=email)
        counts.append([statement.split()[0] for statement in statements])

    assert counts[0] == counts[1]


@pytest.mark.parametrize("typed", ["", "vera", "vera@mail", "ve ra@mail.example", "vera@-x.example", "a@b@c"])
async def test_what_is_no_address_is_named_and_kept(person: Person, typed: str) -> None:
    answer = await person.post("/login/link", email=typed, next="/courses")

    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert f'value="{typed}"' in answer.text


async def test_form_without_csrf_token_is_refused(person: Person) -> None:
    await create_account()
    await person.browser.get("/login")

    answer = await person.browser.post("/login", data={"email": "vera@mail.example", "password": PASSWORD})

    assert answer.status_code == 403
    assert person.sign_in_token is None


async def test_token_planted_before_signing_in_is_worth_nothing_after(person: Person) -> None:
    """Session fixation."""
    await create_account()
    planted = new_token()
    person.browser.cookies.set(SIGN_IN_COOKIE, planted, domain="127.0.0.1")

    await person.post("/login", email="vera@mail.example", password=PASSWORD)

    assert await accounts.signed_in_account(planted) is None
    tokens = {cookie.value for cookie in person.browser.cookies.jar if cookie.name == SIGN_IN_COOKIE}
    assert len(tokens - {planted}) == 1


async def test_signing_in_again_ends_the_older_sign_in_of_the_browser(person: Person, door: Door) -> None:
    await create_account()
    await person.enter("vera@mail.example")
    older = person.sign_in_token
    assert older

    await person.follow(await door.person().ask_link("vera@mail.example"))

    assert person.sign_in_token != older
    assert await accounts.signed_in_account(older) is None


async def test_signing_out_ends_the_sign_in_at_the_server(person: Person) -> None:
    await create_account()
    await person.enter("vera@mail.example")
    token = person.sign_in_token
    assert token

    answer = await person.post("/logout")

    assert answer.status_code == 303
    assert person.sign_in_token is None
    assert await accounts.signed_in_account(token) is None


async def test_sign_in_lasts_thirty_days_since_the_last_visit(person: Person) -> None:
    await create_account()
    await person.enter("vera@mail.example")

    async def last_visit_was(ago: timedelta) -> None:
        async with transaction():
            at = now() - ago
            await current_session().execute(
                update(SignIn).values(last_seen_at=at, expires_at=at + sign_ins.LASTS)
            )

    for _ in range(2):
        await last_visit_was(timedelta(days=29))
        assert await person.is_in()
    await last_visit_was(timedelta(days=30))
    assert not await person.is_in()


async def test_being_signed_in_costs_one_statement(person: Person, door: Door) -> None:
    await create_account()
    await person.enter("vera@mail.example")
    await person.browser.get("/terms")

    with door.site.statements() as statements:
        await person.browser.get("/terms")

    assert len(statements) == 1


async def test_weak_hash_is_renewed_at_sign_in(person: Person, earnest_hashing: None) -> None:
    await create_account()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with transaction():
        await current_session().execute(update(User).values(password_hash=weak))

    await person.post("/login", email="vera@mail.example", password=PASSWORD)

    await current_session().reset()
    user = (await current_session().scalars(select(User))).one()
    assert user.password_hash not in (None, weak)
    assert (await person.post("/logout")).status_code == 303
    assert (await person.post("/login", email="vera@mail.example", password=PASSWORD)).status_code == 303


async def test_many_wrong_passwords_are_braked_and_the_form_says_so(person: Person) -> None:
    await create_account()
    for _ in range(signing_in.WRONG_PASSWORDS_PER_ADDRESS):
        assert (
            await person.post("/login", email="vera@mail.example", password="wrong words")
        ).status_code == 422

    answer = await person.post("/login", email="vera@mail.example", password=PASSWORD)

    assert answer.status_code == 429
    assert 'value="vera@mail.example"' in answer.text
    assert await person.ask_link("vera@mail.example"), "the mailed link still works"


async def test_right_passwords_are_not_counted(session: None) -> None:
    await create_account()
    browser = accounts.Browser("192.0.2.1", "", None)

    for _ in range(signing_in.WRONG_PASSWORDS_PER_ADDRESS + 2):
        assert await signing_in.sign_in("vera@mail.example", PASSWORD, browser)


async def test_link_mails_to_one_address_are_braked(person: Person, door: Door) -> None:
    for _ in range(links.PER_ADDRESS_AND_IP):
        assert (await person.post("/login/link", email="vera@mail.example")).status_code == 200

    assert (await person.post("/login/link", email="Vera@mail.example")).status_code == 429
    assert (await person.post("/signup", email="other@mail.example")).status_code == 200
    assert len(await door.mails()) == links.PER_ADDRESS_AND_IP + 1


async def test_hashing_does_not_hold_a_connection_or_the_loop(session: None, earnest_hashing: None) -> None:
    await create_account()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    clock = asyncio.create_task(tick())
    await signing_in.sign_in("vera@mail.example", PASSWORD, accounts.Browser("192.0.2.1", "", None))
    clock.cancel()

    assert ticks > 5


@pytest.mark.parametrize("role", list(Role))
async def test_role_is_read_at_every_request(person: Person, role: Role) -> None:
    account = await create_account()
    await person.enter("vera@mail.example")
    async with transaction():
        await current_session().execute(update(User).where(User.id == account.id).values(role=role))

    answer = await person.browser.get("/admin")

    assert answer.status_code == (403 if role is Role.VIEWER else 200)
