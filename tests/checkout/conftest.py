"""A shop with one course, and a browser in it."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from tests.conftest import Site
from tests.factories import create_course


@pytest_asyncio.fixture(loop_scope="session")
async def shop(site: Site, session: None) -> Site:
    await create_course()
    return site


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shop: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.client() as client:
        yield client
