"""One running shop for each engine, and a fresh browser context for each visitor."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.live import LiveShop, live_shop
from tests.browser.visitor import Visitor
from tests.chromium import ARGUMENTS, WHOLE
from tests.conftest import free_settings
from tests.mariadb import MariaDB

NewVisitor = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="package")
def running_shop(
    database_engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveShop]:
    """One for all tests of an engine. A warning in its log is a fault: no test makes trouble worth one."""
    folder = tmp_path_factory.mktemp("shop")
    own: dict[str, object] = {"workers": 2}
    if database_engine == "mariadb":
        server: MariaDB = request.getfixturevalue("mariadb")
        own["database_url"] = server.create_database("browser")
    with live_shop(free_settings(folder, **own)) as shop:
        yield shop
    complaints = shop.complaints()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def shop(running_shop: LiveShop) -> LiveShop:
    """The shop with Stripe and Kollus in good order; a test that makes trouble need not end it."""
    running_shop.trouble()
    running_shop.sandbox.stripe("settings", deliver="now", api_delay_ms=0, api_fail=None, api_only=None)
    return running_shop


@pytest_asyncio.fixture
async def new_visitor(chromium: Browser, shop: LiveShop) -> AsyncIterator[NewVisitor]:
    """Makes visitors; at the end none of them may have met an error, a window or another site."""
    visitors: list[Visitor] = []

    async def arrive(browser: Browser = chromium, **options: Any) -> Visitor:
        visitors.append(await Visitor.arrive(browser, shop, **options))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        await visitor.context.close()
    problems = [one for visitor in visitors for one in visitor.unexpected()]
    assert not problems, "\n".join(problems)


@pytest_asyncio.fixture
async def whole_chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=WHOLE, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def guest(new_visitor: NewVisitor) -> Visitor:
    """Somebody with a phone who was never here."""
    return await new_visitor()
