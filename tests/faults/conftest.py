"""`playbill serve` on the database and the stand-ins of the run."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.access.models import Grant
from server.checkout.models import Order
from server.database.session import current_session, session_scope
from server.mail.models import Mail
from server.settings import Settings, configure
from server.stripe_events.models import StripeEvent
from tests.commands import run_playbill
from tests.conftest import Sandbox
from tests.factories import create_course, deliver, signature_of
from tests.faults.serving import Served
from tests.mariadb import MariaDB
from tests.ports import free_port

Serve = Callable[..., Served]


@pytest.fixture
def serve(settings: Settings, tmp_path: Path) -> Iterator[Serve]:
    """Start `playbill serve` on a free port; it ends with the test."""
    with ExitStack() as stack:

        def start(**changes: Any) -> Served:
            return stack.enter_context(Served(settings, free_port(), tmp_path, **changes))

        yield start


@pytest.fixture(scope="session")
def other_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A server of these tests' own: nobody else's may be stopped."""
    with MariaDB(tmp_path_factory.mktemp("mariadb-faults"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def other_url(other_mariadb: MariaDB) -> str:
    url = other_mariadb.create_database("outage")
    run_playbill(["migrate"], {"PLAYBILL_DATABASE_URL": url})
    return url


@pytest.fixture(scope="session")
def other_site(
    settings: Settings, other_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """On that server. One for all tests: whatever the server did, it needs no restart."""
    folder = tmp_path_factory.mktemp("other")
    # Its sweep would apply what a test is about to deliver.
    own = {"database_url": other_url, "sweep_interval_s": 300}
    with Served(settings, free_port(), folder, **own) as site:
        yield site


@pytest.fixture
def url(database_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of this test's own; on SQLite in the folder `data`."""
    if database_engine == "mariadb":
        return str(request.getfixturevalue("other_url"))
    file = tmp_path / "data" / "playbill.db"
    file.parent.mkdir()
    shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
    return f"sqlite+aiosqlite:///{file}"


@dataclass(frozen=True)
class Effects:
    grants: int
    receipts: int
    events: int
    paid: int


@dataclass(frozen=True)
class Shop:
    """A course on sale in an empty database, and what has become of its orders."""

    sandbox: Sandbox
    settings: Settings
    sessions: async_sessionmaker[Any]

    async def effects(self) -> Effects:
        async with session_scope(self.sessions):
            counts = [
                await current_session().scalar(statement) or 0
                for statement in (
                    select(func.count()).select_from(Grant),
                    select(func.count()).select_from(Mail).where(Mail.once_key.startswith("receipt:")),
                    select(func.count()).select_from(StripeEvent),
                    select(func.count()).select_from(Order).where(Order.status == "paid"),
                )
            ]
        return Effects(*counts)

    async def succeeded(self) -> bytes:
        """Stripe's event that tells of the one payment."""
        event = await asyncio.to_thread(self.sandbox.event, "payment_intent.succeeded")
        return json.dumps(event).encode()

    async def deliver(self, client: httpx.AsyncClient, body: bytes) -> httpx.Response:
        return await deliver(client, body, signature_of(body, self.settings.webhook_secrets[0]))


@pytest_asyncio.fixture
async def shop(
    clean_database: None, sandbox: Sandbox, settings: Settings, sessions: async_sessionmaker[Any]
) -> AsyncIterator[Shop]:
    configure(settings)
    async with session_scope(sessions):
        await create_course()
    yield Shop(sandbox, settings, sessions)
    # A served site was made to wait: the next test begins with stand-ins as new.
    await asyncio.to_thread(sandbox.reset)
