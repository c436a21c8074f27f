"""People on a served site whose database something happens to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from sqlalchemy import update

from server.accounts.models import SignIn
from server.clock import now
from server.database.engine import create_engine, create_sessionmaker
from server.database.session import current_session, session_scope, transaction
from server.settings import Settings, configure
from tests.conftest import Sandbox, empty
from tests.factories import create_account, create_course, order_in, pay, sign_in
from tests.faults.conftest import Shop
from tests.faults.serving import Served

PUBLIC_PAGES = ["/", "/courses", "/courses/first-night", "/checkout/first-night"]


@dataclass
class Visitors:
    """A signed-in browser, and a guest's whose payment has gone through at Stripe and nowhere else."""

    signed_in: httpx.AsyncClient
    guest: httpx.AsyncClient
    order: str
    event: bytes


@asynccontextmanager
async def shop_on(url: str, settings: Settings, sandbox: Sandbox) -> AsyncIterator[Shop]:
    """A course and an account in this database, and nothing else."""
    configure(settings)
    engine = create_engine(url)
    try:
        await empty(engine)
        sessions = create_sessionmaker(engine)
        async with session_scope(sessions):
            await create_course()
            await create_account()
        yield Shop(sandbox, settings, sessions)
    finally:
        await engine.dispose()


@asynccontextmanager
async def visitors(site: Served, shop: Shop) -> AsyncIterator[Visitors]:
    async with site.client() as signed_in, site.client() as guest:
        await sign_in(signed_in)
        order = await order_in(guest)
        await pay(shop.sandbox, order)
        yield Visitors(signed_in, guest, order["order"], await shop.succeeded())


async def statuses(client: httpx.AsyncClient, pages: list[str]) -> dict[str, int]:
    return {page: (await client.get(page)).status_code for page in pages}


async def last_seen_long_ago(shop: Shop) -> None:
    """The next page would write down that the browser was seen."""
    async with session_scope(shop.sessions), transaction():
        await current_session().execute(update(SignIn).values(last_seen_at=now() - timedelta(hours=1)))


async def is_back(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200
