"""The outbox against the mail stand-in, over real SMTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from sqlalchemy import select, update

from server.database.session import current_session, transaction
from server.integrations.gateways import opened
from server.mail import service as mail
from server.mail.models import Mail
from server.settings import Settings
from tests.conftest import Sandbox
from tests.http import async_client


@dataclass(frozen=True)
class Outbox:
    sandbox: Sandbox

    async def put(self, number: int = 1) -> None:
        async with transaction():
            assert await mail.enqueue(
                f"test:{number}",
                f"reader{number}@mail.example",
                "sign_in_link",
                "en",
                link=f"https://shop.example/login/link/{number}",
                minutes=30,
            )

    async def rows(self) -> list[Mail]:
        await current_session().reset()
        return list(await current_session().scalars(select(Mail).order_by(Mail.once_key)))

    async def row(self) -> Mail:
        (row,) = await self.rows()
        return row

    async def change(self, **values: Any) -> None:
        """Put a row into the past: what a test cannot wait for."""
        async with transaction():
            await current_session().execute(update(Mail).values(**values))

    async def server_fails(self, how: str | None) -> None:
        await _settings(self.sandbox, how)

    def delivered(self) -> list[dict[str, Any]]:
        return self.sandbox.messages()


@pytest_asyncio.fixture(loop_scope="session")
async def outbox(session: None, sandbox: Sandbox, settings: Settings) -> AsyncIterator[Outbox]:
    async with opened(settings):
        yield Outbox(sandbox)
    await _settings(sandbox, None)


async def _settings(sandbox: Sandbox, how: str | None) -> None:
    async with async_client() as client:
        answer = await client.post(f"{sandbox.mail_url}/_sandbox/settings", json={"smtp_fail": how})
        assert answer.is_success
