"""Following a link and moving what waits for its address are one act."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from server.access.models import Grant
from server.accounts import service as accounts
from server.database.session import current_session
from tests.conftest import Sandbox, Site
from tests.factories import bought, create_course, mailed_link, post

REFUSE = {
    "sqlite": "CREATE TRIGGER refuse BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'refused'); END",
    "mysql": "CREATE TRIGGER refuse BEFORE UPDATE ON orders FOR EACH ROW SIGNAL SQLSTATE '45000'",
}


@asynccontextmanager
async def orders_that_cannot_move(engine: AsyncEngine) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.execute(text(REFUSE[engine.dialect.name]))
    try:
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("DROP TRIGGER refuse"))


async def test_a_claim_that_fails_leaves_no_account_and_a_link_that_still_works(
    site: Site, session: None, sandbox: Sandbox, engine: AsyncEngine
) -> None:
    await create_course()
    await bought(site, sandbox, email="new@mail.example")
    link = await mailed_link(sandbox, "new@mail.example")
    person = site.client()

    await current_session().reset()
    async with orders_that_cannot_move(engine):
        refused = await post(person, link)
        made_meanwhile = await accounts.find_by_email("new@mail.example")
        await current_session().reset()
    followed = await post(person, link)

    assert refused.status_code >= 500
    assert made_meanwhile is None
    assert followed.status_code == 303
    account = await accounts.find_by_email("new@mail.example")
    assert account is not None
    assert await current_session().scalar(select(Grant.viewer_id)) == account.id
