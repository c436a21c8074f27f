from collections.abc import AsyncIterator

import pytest_asyncio

from tests.catalog.shop import close_browsers


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def browsers_are_closed() -> AsyncIterator[None]:
    yield
    await close_browsers()
