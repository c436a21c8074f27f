"""SQLite on a disk that takes nothing more: what only reads goes on, and the operator is told."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from server.database.session import session_scope, transaction
from server.settings import Settings
from tests.conftest import Sandbox
from tests.engines import on_sqlite
from tests.factories import eventually, open_checkout
from tests.faults.conftest import Effects, Serve
from tests.faults.serving import Served
from tests.faults.visiting import PUBLIC_PAGES, is_back, last_seen_long_ago, shop_on, statuses, visitors

# No file grows beyond: the log does not come so far, and the database's is longer already.
LIMIT = 64 * 1024


@contextmanager
def full_disk(site: Served, write_ahead: Path) -> Iterator[None]:
    """The kernel refuses what the workers would write, as it does on a full disk."""
    assert write_ahead.stat().st_size > LIMIT > 2 * site.log.stat().st_size
    workers = site.worker_pids()
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
    yield
    for pid in workers:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert site.worker_pids() == workers, "a worker died of it"


async def readiness(client: httpx.AsyncClient) -> str:
    return (await client.get("/readyz")).text


@on_sqlite
async def test_on_a_full_disk_pages_are_read_and_waiting_buyers_wait_on_and_it_is_told(
    url: str, settings: Settings, sandbox: Sandbox, serve: Serve, tmp_path: Path
) -> None:
    async with shop_on(url, settings, sandbox) as shop:
        site = await asyncio.to_thread(serve, database_url=url)
        async with visitors(site, shop) as who:
            page = await open_checkout(who.guest)
            await last_seen_long_ago(shop)
            polled: set[tuple[int, str]] = set()

            async def a_look_was_in_vain() -> bool:
                answer = await who.guest.get(f"/orders/{who.order}/status")
                polled.add((answer.status_code, answer.json()["status"]))
                return site.log.read_text().count("not written down") > 1  # the sign-in's was the first

            async def is_told() -> bool:
                return "takes no writes" in await readiness(who.guest)

            with full_disk(site, tmp_path / "data" / "playbill.db-wal"):
                reading = {
                    **await statuses(who.signed_in, ["/account", "/learn", *PUBLIC_PAGES]),
                    **await statuses(who.guest, [f"/orders/{who.order}"]),
                }
                await eventually(a_look_was_in_vain)
                await eventually(is_told)
                pressed = await page.press_pay()
                event = await shop.deliver(who.guest, who.event)

            assert set(reading.values()) == {200}
            assert polled == {(200, "pending")}
            assert (pressed.status_code, pressed.json()["error"]["code"]) == (503, "unavailable")
            assert event.status_code == 500
            await eventually(lambda: is_back(who.guest))
            assert (await shop.deliver(who.guest, who.event)).json() == {"outcome": "applied"}
            assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)
        assert "Traceback" not in site.log.read_text()


@on_sqlite
async def test_a_database_that_others_write_into_is_ready(
    url: str, settings: Settings, sandbox: Sandbox, serve: Serve, tmp_path: Path
) -> None:
    async with shop_on(url, settings, sandbox) as shop:
        site = await asyncio.to_thread(serve, database_url=url)
        async with site.client() as browser, session_scope(shop.sessions), transaction():
            assert await readiness(browser) == "ready"
