"""Real parts for the tests: both databases, the stand-ins as processes, the site over HTTP.

Everything listens on free ports of 127.0.0.1 and ends with the run.
"""

import asyncio
import contextlib
import gc
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import pytest_asyncio
import uvloop
from argon2 import PasswordHasher
from playwright.async_api import Browser, async_playwright
from sanic import Sanic
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from server.accounts import passwords
from server.clock import now
from server.database.engine import create_engine, create_sessionmaker
from server.database.schema import metadata
from server.database.session import session_scope
from server.settings import Settings, configure
from server.standins import health_addresses, standins
from server.throttle import service as throttle
from tests.chromium import ARGUMENTS, EXECUTABLE
from tests.commands import run_playbill
from tests.engines import ENGINES
from tests.http import HTTP, async_client
from tests.listening import listening
from tests.mariadb import MariaDB
from tests.ports import free_port
from tests.statements import Statements

TESTS = Path(__file__).parent
# The longest first.
GROUPS = [*ENGINES, "browser", "faults mariadb", "faults sqlite", "players", "stripejs", ""]
PORTS = ("port", "sandbox_stripe_port", "sandbox_kollus_port", "sandbox_mail_port", "sandbox_smtp_port")


def free_settings(folder: Path, **more: object) -> Settings:
    """Of a site in sandbox mode: its data in `folder`, every port a free one."""
    ports = {name: free_port() for name in PORTS}
    return Settings.model_validate({"var_dir": folder, **ports, **more})


def environment_of(settings: Settings, **changes: object) -> dict[str, str]:
    """What makes a process of its own run with these settings."""
    names = (*PORTS, "var_dir", "database_url", "workers")
    values = {name: getattr(settings, name) for name in names} | changes
    return {f"PLAYBILL_{name.upper()}": str(value) for name, value in values.items()}


def until(holds: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.05)  # another process tells nothing by itself: it is asked until it is so


def answers(url: str) -> bool:
    try:
        return HTTP.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def wait_for(urls: list[str], within_s: float = 30) -> None:
    for url in urls:
        until(partial(answers, url), within_s, f"an answer from {url}")


def pytest_configure(config: pytest.Config) -> None:
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # the loop of a worker of the site
    # Databases of a test live in memory where there is room: on a disk every commit waits for it.
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 1024**3:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests are there until the end: the collector need not look at them again and again."""
    gc.freeze()


# Before xdist reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a group run in one process, so that what they share is started once; the longest go first.

    The others come last: they are dealt out one by one to whichever process is free.
    """
    items.sort(key=lambda item: GROUPS.index(group_of(item)))
    for item in items:
        if group := group_of(item):
            item.add_marker(pytest.mark.xdist_group(group))


def group_of(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    folder = item.path.relative_to(TESTS).parts[0]
    if folder == "browser":
        return folder
    if item.path.parent.name == "stripejs":
        return "stripejs"
    if item.path.name in ("test_player_page.py", "test_layout_shift.py") and folder == "playback":
        return "players"
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    engine = str(parameters.get("database_engine", ""))
    return f"faults {engine}" if engine and folder == "faults" else engine


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are hashed in a moment; `earnest_hashing` is for tests of the hashing itself."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
    passwords._dummy.cache_clear()
    yield
    passwords._dummy.cache_clear()


@pytest.fixture
def earnest_hashing(cheap_hashing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())


@pytest.fixture(autouse=True)
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The brakes count in windows that begin at full quarters and hours: none begins within a test."""
    begun = now()
    monkeypatch.setattr(throttle, "now", lambda: begun)


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    with MariaDB(tmp_path_factory.mktemp("mariadb"), free_port()) as server:
        yield server


@pytest.fixture(scope="session", params=ENGINES)
def database_engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to copy: migrating takes a process and seconds, and more with every migration."""
    file = tmp_path_factory.mktemp("sqlite") / "playbill.db"
    run_playbill(["migrate"], {"PLAYBILL_DATABASE_URL": f"sqlite+aiosqlite:///{file}"})
    return file


@pytest.fixture(scope="session")
def database_url(
    database_engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A migrated, empty database."""
    if database_engine == "mariadb":
        server: MariaDB = request.getfixturevalue("mariadb")
        url = server.create_database("playbill")
        run_playbill(["migrate"], {"PLAYBILL_DATABASE_URL": url})
        return url
    file = tmp_path_factory.mktemp("shared") / "playbill.db"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of the site that is tested."""
    made = free_settings(tmp_path_factory.mktemp("var"), database_url=database_url)
    configure(made)
    return made


@dataclass(frozen=True)
class Sandbox:
    """The three stand-ins of one site."""

    stripe_url: str
    kollus_url: str
    mail_url: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        ports = (settings.sandbox_stripe_port, settings.sandbox_kollus_port, settings.sandbox_mail_port)
        return cls(*(f"http://127.0.0.1:{port}" for port in ports))

    def stripe(self, path: str, **body: Any) -> Any:
        return _post(f"{self.stripe_url}/_sandbox/{path}", body)

    def kollus(self, path: str, **body: Any) -> Any:
        return _post(f"{self.kollus_url}/_sandbox/{path}", body)

    async def astripe(self, path: str, **body: Any) -> Any:
        return await asyncio.to_thread(self.stripe, path, **body)

    async def akollus(self, path: str, **body: Any) -> Any:
        return await asyncio.to_thread(self.kollus, path, **body)

    def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """Calls of the site to Stripe with this method and path."""
        found = HTTP.get(f"{self.stripe_url}/_sandbox/requests").raise_for_status().json()
        return [one for one in found if one["method"] == method and one["path"] == path]

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = HTTP.get(f"{self.stripe_url}/_sandbox/events").raise_for_status().json()
        return found

    def event(self, kind: str) -> dict[str, Any]:
        """The latest event of this type."""
        return next(event for event in reversed(self.events()) if event["type"] == kind)

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = HTTP.get(f"{self.mail_url}/messages").raise_for_status().json()
        return found

    def reset(self) -> None:
        self.stripe("reset")
        self.kollus("reset")
        HTTP.delete(f"{self.mail_url}/messages").raise_for_status()


def _post(url: str, body: dict[str, Any]) -> Any:
    answer = HTTP.post(url, json=body)
    assert answer.is_success, f"{url}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


@pytest.fixture(scope="session")
def sandbox_processes(settings: Settings) -> Iterator[Sandbox]:
    processes = [subprocess.Popen(child.command) for child in standins(settings)]
    try:
        wait_for(health_addresses(settings))
        yield Sandbox.of(settings)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


@pytest.fixture
def sandbox(sandbox_processes: Sandbox, settings: Settings) -> Sandbox:
    """The stand-ins, as new; Stripe's webhooks held back until a test delivers them."""
    sandbox_processes.reset()
    sandbox_processes.stripe("settings", deliver="manual")
    return sandbox_processes


@pytest_asyncio.fixture(scope="session")
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = create_engine(settings.database_url)
    yield made
    await made.dispose()


@pytest.fixture(scope="session")
def sessions(engine: AsyncEngine) -> async_sessionmaker[Any]:
    return create_sessionmaker(engine)


TABLES = [table.name for table in reversed(metadata.sorted_tables)]
FILLED = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in TABLES)


async def empty(engine: AsyncEngine) -> None:
    on_sqlite = engine.dialect.name == "sqlite"
    async with engine.begin() as connection:
        filled = (await connection.exec_driver_sql(FILLED)).scalars().all()
        await connection.exec_driver_sql(
            "PRAGMA defer_foreign_keys=ON" if on_sqlite else "SET FOREIGN_KEY_CHECKS=0"
        )
        for table in filled:
            await connection.exec_driver_sql(f"DELETE FROM {table}")
        if not on_sqlite:
            await connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS=1")


@pytest_asyncio.fixture
async def clean_database(engine: AsyncEngine) -> None:
    await empty(engine)


@pytest_asyncio.fixture
async def session(clean_database: None, sessions: async_sessionmaker[Any]) -> AsyncIterator[None]:
    """An ambient session on an empty database, for tests of services and repositories."""
    async with session_scope(sessions):
        yield


@dataclass
class Site:
    """The application, running in this process and answering over HTTP."""

    url: str
    app: Sanic[Any, Any]
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A browser without JavaScript: own cookies, redirects not followed; closed after the test."""
        headers = {"Accept-Language": "en", **options.pop("headers", {})}
        client = async_client(base_url=self.url, timeout=30, headers=headers, **options)
        self.clients.append(client)
        return client

    @contextlib.contextmanager
    def statements(self) -> Iterator[Statements]:
        """Counts what the site's engine executes meanwhile."""
        with Statements.of(self.app.ctx.engine) as counted:
            yield counted


@pytest_asyncio.fixture(scope="session")
async def running_site(settings: Settings, sandbox_processes: Sandbox) -> AsyncIterator[Site]:
    async with listening(settings) as app:
        yield Site(settings.public_url, app)


@pytest_asyncio.fixture
async def site(
    running_site: Site, clean_database: None, sandbox: Sandbox, settings: Settings
) -> AsyncIterator[Site]:
    """The running site on an empty database, with the stand-ins as new."""
    configure(settings)
    yield running_site
    while running_site.clients:
        await running_site.clients.pop().aclose()


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        await browser.close()
