"""The figures are the operator's: where a token is set, nobody reads them without it."""

import httpx
import pytest

from server.settings import Settings, configure
from tests.conftest import Site
from tests.engines import on_sqlite

pytestmark = on_sqlite

TOKEN = "m" * 24


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN[:-1]}"},
        {b"Authorization": b"Bearer \xff"},
    ],
)
async def test_without_the_token_there_are_no_figures(
    site: Site, session: None, settings: Settings, headers: dict[str, str]
) -> None:
    configure(settings.model_copy(update={"metrics_token": TOKEN}))

    refused = await site.client().get("/metrics", headers=headers)
    told: httpx.Response = await site.client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert "playbill_" not in refused.text
    assert told.status_code == 200
    assert "playbill_paid_without_access" in told.text


async def test_a_sandbox_without_a_token_shows_its_figures(site: Site, session: None) -> None:
    assert (await site.client().get("/metrics")).status_code == 200
