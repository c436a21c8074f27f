"""A shop with one course, and a browser in it."""

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Site
from tests.factories import create_course


@pytest_asyncio.fixture
async def shop(site: Site, session: None) -> Site:
    await create_course()
    return site


@pytest.fixture
def browser(shop: Site) -> httpx.AsyncClient:
    return shop.client()
