"""The database goes away and comes back: calm pages meanwhile, and no restart after it."""

import asyncio
import json
import sqlite3
from pathlib import Path

import httpx

from server.playback.tickets import ticket_of
from server.settings import Settings
from tests.conftest import Sandbox
from tests.engines import on_mariadb, on_sqlite
from tests.factories import eventually, open_checkout
from tests.faults.conftest import Effects, Serve, Shop
from tests.faults.serving import Served
from tests.faults.visiting import PUBLIC_PAGES, is_back, shop_on, statuses, visitors
from tests.mariadb import MariaDB

CALM = "This is not answering right now. Please try again in a moment."


@on_mariadb
async def test_while_the_database_is_down_answers_are_calm_and_then_all_works_by_itself(
    other_mariadb: MariaDB, url: str, settings: Settings, sandbox: Sandbox, other_site: Served
) -> None:
    async with shop_on(url, settings, sandbox) as shop:
        async with visitors(other_site, shop) as who:
            page = await open_checkout(who.guest)
            await asyncio.to_thread(other_mariadb.pause)

            signed_in = ["/account", "/learn", *PUBLIC_PAGES]
            assert set((await statuses(who.signed_in, signed_in)).values()) == {503}
            assert set((await statuses(who.guest, [*PUBLIC_PAGES, f"/orders/{who.order}"])).values()) == {503}
            assert CALM in (await who.signed_in.get("/learn")).text
            poll = await who.guest.get(f"/orders/{who.order}/status", headers={"Accept": "application/json"})
            assert (poll.status_code, poll.json()["error"]["code"]) == (503, "unavailable")
            pressed = await page.press_pay()
            assert (pressed.status_code, pressed.json()["error"]["code"]) == (503, "unavailable")
            # Alive, not ready; what needs no database is served.
            needless = ["/healthz", "/readyz", "/terms", "/static/css/base.css"]
            assert list((await statuses(who.guest, needless)).values()) == [200, 503, 200, 200]
            assert await machines(who.guest, shop, who.event) == {"webhook": 500, "play": 503, "lms": 503}

            await asyncio.to_thread(other_mariadb.resume)

            await eventually(lambda: is_back(who.guest))
            assert set((await statuses(who.signed_in, signed_in)).values()) == {200}
            assert (await shop.deliver(who.guest, who.event)).json() == {"outcome": "applied"}
            assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)
        assert "Traceback" not in other_site.log.read_text()


async def machines(client: httpx.AsyncClient, shop: Shop, event: bytes) -> dict[str, int]:
    """What Stripe and Kollus are answered: whatever makes them come again."""
    ticket = ticket_of("any-play")
    asked = {
        "kind": "1",
        "client_user_id": "any",
        "media_content_key": "any",
        "uservalues": json.dumps({"uservalue0": ticket}),
    }
    report = {"content_info": {"start_at": 1, "last_play_at": 1}}
    answers = {
        "webhook": await shop.deliver(client, event),
        "play": await client.post("/callbacks/kollus/play", data=asked),
        "lms": await client.post(
            "/callbacks/kollus/lms", data={"json_data": json.dumps(report), "uservalue0": ticket}
        ),
    }
    return {name: answer.status_code for name, answer in answers.items()}


@on_mariadb
async def test_a_database_that_comes_back_between_two_requests_is_not_noticed(
    other_mariadb: MariaDB, url: str, settings: Settings, sandbox: Sandbox, other_site: Served
) -> None:
    async with shop_on(url, settings, sandbox) as shop, visitors(other_site, shop) as who:
        await asyncio.to_thread(other_mariadb.pause)
        await asyncio.to_thread(other_mariadb.resume)

        assert set((await statuses(who.signed_in, ["/learn", *PUBLIC_PAGES])).values()) == {200}


@on_mariadb
async def test_a_site_that_starts_before_its_database_waits_for_it(
    other_mariadb: MariaDB, url: str, settings: Settings, sandbox: Sandbox, serve: Serve
) -> None:
    async with shop_on(url, settings, sandbox):
        await asyncio.to_thread(other_mariadb.pause)
        site = await asyncio.to_thread(serve, database_url=url)
        async with site.client() as guest:
            down = (await guest.get("/")).status_code
            await asyncio.to_thread(other_mariadb.resume)
            await eventually(lambda: is_back(guest))

            assert (down, (await guest.get("/")).status_code) == (503, 200)


@on_sqlite
async def test_a_sqlite_file_that_somebody_else_locks_makes_writers_wait_and_then_give_up_calmly(
    url: str, settings: Settings, sandbox: Sandbox, serve: Serve, tmp_path: Path
) -> None:
    async with shop_on(url, settings, sandbox) as shop:
        site = await asyncio.to_thread(serve, database_url=url)
        async with visitors(site, shop) as who:
            page = await open_checkout(who.guest)
            other = sqlite3.connect(tmp_path / "data" / "playbill.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")

            began = asyncio.get_running_loop().time()
            pressed, event, *_ = await asyncio.gather(
                page.press_pay(), shop.deliver(who.guest, who.event), who.signed_in.get("/learn")
            )
            took_s = asyncio.get_running_loop().time() - began
            reading = (await statuses(who.signed_in, ["/learn", *PUBLIC_PAGES])).values()
            other.execute("ROLLBACK")
            other.close()

            assert (pressed.status_code, event.status_code) == (503, 500)
            assert took_s < 15
            assert set(reading) == {200}, "readers need not wait for a writer"
            assert (await shop.deliver(who.guest, who.event)).json() == {"outcome": "applied"}
        assert "Traceback" not in site.log.read_text()


@on_sqlite
async def test_a_sqlite_file_that_was_moved_away_is_an_outage_and_no_bug(
    url: str, settings: Settings, sandbox: Sandbox, serve: Serve, tmp_path: Path
) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    async with shop_on(url, settings, sandbox):
        folder.rename(elsewhere)
        site = await asyncio.to_thread(serve, database_url=url)
        async with site.client() as guest:
            gone = set((await statuses(guest, ["/readyz", *PUBLIC_PAGES])).values())

            assert gone == {503}
        assert "Traceback" not in site.log.read_text()
