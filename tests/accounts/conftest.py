"""Browsers at the front door, and the mails that they get."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from server.accounts.models import SignInLink
from server.database.session import current_session, session_scope, transaction
from server.mail import worker
from tests.conftest import Sandbox, Site
from tests.factories import mailed_link, post

SIGN_IN_COOKIE = "playbill_sign_in"


@dataclass
class Person:
    """Somebody with a browser: reads a page, fills its form, reads mail."""

    browser: httpx.AsyncClient
    door: "Door"

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await post(self.browser, path, **fields)

    async def ask_link(self, email: str, **fields: str) -> str:
        """Ask for a link and take it from the mail; returns its path."""
        answer = await self.post("/login/link", email=email, **fields)
        assert answer.status_code == 200, answer.text
        return await mailed_link(self.door.sandbox, email)

    async def follow(self, link: str) -> httpx.Response:
        return await self.post(link)

    async def enter(self, email: str) -> httpx.Response:
        """Sign in by a mailed link."""
        answer = await self.follow(await self.ask_link(email))
        assert answer.status_code == 303, answer.text
        return answer

    async def is_in(self) -> bool:
        return (await self.browser.get("/account")).status_code == 200

    @property
    def sign_in_token(self) -> str | None:
        return self.browser.cookies.get(SIGN_IN_COOKIE)


class Door:
    def __init__(self, site: Site, sandbox: Sandbox) -> None:
        self.site = site
        self.sandbox = sandbox

    def person(self, **options: Any) -> Person:
        return Person(self.site.client(**options), self)

    async def mails(self) -> list[dict[str, Any]]:
        async with session_scope(self.site.app.ctx.sessions):
            await worker.send_waiting()
        return self.sandbox.messages()

    async def age_links(self, **values: Any) -> None:
        async with session_scope(self.site.app.ctx.sessions), transaction():
            await current_session().execute(update(SignInLink).values(**values))


@pytest.fixture
def door(site: Site, session: None, sandbox: Sandbox) -> Door:
    return Door(site, sandbox)


@pytest.fixture
def person(door: Door) -> Person:
    return door.person()
