"""A person's own pages."""

import asyncio
import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from server.accounts import passwords
from server.accounts.models import SignIn, User
from server.accounts.profile import FRESH
from server.clock import now
from server.database.session import current_session, transaction
from tests.accounts.conftest import Door, Person
from tests.factories import PASSWORD, create_account

NEW = "an even longer password"


async def age_sign_ins() -> None:
    async with transaction():
        await current_session().execute(
            update(SignIn).values(created_at=now() - FRESH - timedelta(minutes=1))
        )


async def test_account_pages_ask_strangers_to_sign_in(person: Person) -> None:
    for path in ("/account", "/account/password"):
        answer = await person.browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


async def test_first_password_may_be_set_with_a_name_and_leads_on(person: Person) -> None:
    await person.enter("new@mail.example")

    answer = await person.post("/account/password", name="민서", password=NEW, next="/learn")

    assert answer.headers["location"] == "/learn"
    await person.post("/logout")
    assert (await person.post("/login", email="new@mail.example", password=NEW)).status_code == 303
    assert "민서" in (await person.browser.get("/account")).text


async def test_password_may_be_skipped(person: Person) -> None:
    page = await person.browser.get((await person.enter("new@mail.example")).headers["location"])

    assert 'href="/learn">Not now' in page.text


async def test_new_password_ends_every_other_sign_in(door: Door) -> None:
    await create_account()
    here, there = door.person(), door.person()
    await here.enter("vera@mail.example")
    await there.enter("vera@mail.example")

    assert (await here.post("/account/password", password=NEW)).status_code == 303

    assert await here.is_in()
    assert not await there.is_in()


async def test_after_a_while_the_present_password_is_asked(person: Person) -> None:
    await create_account()
    await person.enter("vera@mail.example")
    await age_sign_ins()

    refused = await person.post("/account/password", password=NEW)
    wrong = await person.post("/account/password", password=NEW, present="wrong words")
    right = await person.post("/account/password", password=NEW, present=PASSWORD)

    assert [refused.status_code, wrong.status_code, right.status_code] == [422, 422, 303]
    assert 'id="present-error"' in wrong.text
    for word in (NEW, "wrong words"):
        assert word not in wrong.text


class Held(PasswordHasher):
    """Begins to hash, and goes on when it is let go."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=1024, parallelism=1)
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.begun.set()
        assert self.may_go_on.wait(20)
        return super().hash(password, salt=salt)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    hasher = Held()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    return hasher


async def test_browser_that_is_signed_out_while_hashing_sets_no_password(door: Door, held: Held) -> None:
    owner, thief = door.person(), door.person()
    for person in (owner, thief):
        await person.enter("new@mail.example")
    setting = asyncio.create_task(thief.post("/account/password", password=NEW))
    await asyncio.to_thread(held.begun.wait, 20)

    await owner.post("/account/sign-ins/end-others")
    held.may_go_on.set()

    answer = await setting
    assert (answer.status_code, answer.headers.get("location")) == (303, "/login?next=/")
    assert await owner.is_in()
    refused = await door.person().post("/login", email="new@mail.example", password=NEW)
    assert refused.status_code == 422


async def test_sign_in_that_grows_old_while_hashing_is_asked_for_the_present_password(
    door: Door, held: Held
) -> None:
    held.may_go_on.set()
    await create_account()
    person = door.person()
    await person.enter("vera@mail.example")
    held.begun.clear()
    held.may_go_on.clear()
    setting = asyncio.create_task(person.post("/account/password", password=NEW))
    await asyncio.to_thread(held.begun.wait, 20)

    await age_sign_ins()
    held.may_go_on.set()

    answer = await setting
    assert answer.status_code == 422
    assert 'id="present-error"' in answer.text
    again = await door.person().post("/login", email="vera@mail.example", password=PASSWORD)
    assert again.status_code == 303


async def test_short_password_is_refused_and_named(person: Person) -> None:
    await person.enter("new@mail.example")

    answer = await person.post("/account/password", password="too short", name="Vera", next="/learn")

    assert answer.status_code == 422
    assert 'id="password-error"' in answer.text
    assert 'value="Vera"' in answer.text
    assert "too short" not in answer.text


async def test_blanks_belong_to_a_password(person: Person) -> None:
    await person.enter("new@mail.example")
    await person.post("/account/password", password="  two blanks before")
    await person.post("/logout")

    assert (
        await person.post("/login", email="new@mail.example", password="two blanks before")
    ).status_code == 422
    assert (
        await person.post("/login", email="new@mail.example", password="  two blanks before")
    ).status_code == 303


async def test_profile_saves_name_and_language(person: Person) -> None:
    await person.enter("new@mail.example")

    answer = await person.post("/account", name="Vera <b>", locale="ko")

    assert answer.headers["location"] == "/account"
    page = (await person.browser.get("/account")).text
    assert '<html lang="ko">' in page
    assert "Vera &lt;b&gt;" in page


@pytest.mark.parametrize("fields", [{"locale": "xx"}, {"locale": "ko", "name": "x" * 101}, {}])
async def test_bad_profile_is_refused(person: Person, fields: dict[str, str]) -> None:
    await person.enter("new@mail.example")

    assert (await person.post("/account", **fields)).status_code == 422


async def test_one_browser_is_signed_out_by_name(door: Door) -> None:
    await create_account()
    here = door.person()
    there = door.person(headers={"User-Agent": "Mozilla/5.0 (iPhone) CriOS/130 Safari/604.1"})
    await there.enter("vera@mail.example")
    await here.enter("vera@mail.example")
    row = (await current_session().scalars(select(SignIn).where(SignIn.user_agent.contains("iPhone")))).one()
    assert "Chrome, iPhone" in (await here.browser.get("/account")).text

    answer = await here.post(f"/account/sign-ins/{row.id}/end")

    assert answer.status_code == 303
    assert await here.is_in()
    assert not await there.is_in()


async def test_all_other_browsers_are_signed_out(door: Door) -> None:
    await create_account()
    here, *others = (door.person() for _ in range(3))
    for person in (here, *others):
        await person.enter("vera@mail.example")

    await here.post("/account/sign-ins/end-others")

    assert await here.is_in()
    assert [await other.is_in() for other in others] == [False, False]


async def test_nobody_signs_somebody_else_out(door: Door) -> None:
    victim, stranger = door.person(), door.person()
    await victim.enter("victim@mail.example")
    await stranger.enter("stranger@mail.example")
    row = (
        await current_session().scalars(
            select(SignIn)
            .join(User, User.id == SignIn.user_id)
            .where(User.email_key == "victim@mail.example")
        )
    ).one()

    answers = [
        await stranger.post(f"/account/sign-ins/{sign_in_id}/end") for sign_in_id in (row.id, "0" * 16)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert await victim.is_in()
