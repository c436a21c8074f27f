"""The database neither answers nor goes away: nobody is held for longer than five seconds."""

import asyncio
import time
from collections.abc import Awaitable
from functools import partial
from itertools import cycle

import httpx

from server.settings import Settings
from tests.conftest import Sandbox
from tests.engines import on_mariadb
from tests.factories import eventually, open_checkout
from tests.faults.conftest import Effects
from tests.faults.serving import Served
from tests.faults.visiting import PUBLIC_PAGES, is_back, last_seen_long_ago, shop_on, statuses, visitors
from tests.mariadb import MariaDB

PAGE_WITHIN_S = 5.0
READY_WITHIN_S = 2.0
CROWD = 30  # more than one worker has connections


async def timing(asked: Awaitable[httpx.Response]) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    return await asked, time.monotonic() - began


async def timed(client: httpx.AsyncClient, page: str) -> tuple[int, float]:
    answer, took = await timing(client.get(page))
    return answer.status_code, took


@on_mariadb
async def test_while_the_database_is_frozen_everybody_is_told_so_within_five_seconds(
    other_mariadb: MariaDB, url: str, settings: Settings, sandbox: Sandbox, other_site: Served
) -> None:
    async with shop_on(url, settings, sandbox) as shop:
        async with visitors(other_site, shop) as who:
            page = await open_checkout(who.guest)
            signed_in = ["/account", "/learn", *PUBLIC_PAGES]
            with other_mariadb.frozen():
                crowd, ready, pressed, told = await asyncio.gather(
                    asyncio.gather(
                        *(timed(who.signed_in, one) for _, one in zip(range(CROWD), cycle(signed_in)))
                    ),
                    timed(who.guest, "/readyz"),
                    timing(page.press_pay()),
                    timing(shop.deliver(who.guest, who.event)),
                )

            assert {status for status, _ in crowd} == {503}
            assert max(took for _, took in crowd) < PAGE_WITHIN_S
            assert ready[0] == 503
            assert ready[1] < READY_WITHIN_S
            (press, press_took), (event, event_took) = pressed, told
            assert (press.status_code, press.json()["error"]["code"]) == (503, "unavailable")
            # What Stripe is told of whatever shall come again.
            assert (event.status_code, event.json()["error"]["code"]) == (500, "try_again")
            assert max(press_took, event_took) < PAGE_WITHIN_S
            await eventually(lambda: is_back(who.guest))
            assert set((await statuses(who.signed_in, signed_in)).values()) == {200}
            assert (await shop.deliver(who.guest, who.event)).status_code == 200
            assert await shop.effects() == Effects(grants=1, receipts=1, events=1, paid=1)
        assert "Traceback" not in other_site.log.read_text()


@on_mariadb
async def test_a_freeze_while_it_is_noted_that_a_browser_was_seen_is_told_within_five_seconds(
    other_mariadb: MariaDB, url: str, settings: Settings, sandbox: Sandbox, other_site: Served
) -> None:
    """The note beside the page waited for its own limit, and the page for another one."""
    async with shop_on(url, settings, sandbox) as shop:
        async with visitors(other_site, shop) as who:
            await last_seen_long_ago(shop)
            with other_mariadb.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT id FROM outage.sign_ins FOR UPDATE")  # so that the note waits
                asking = asyncio.create_task(timed(who.signed_in, "/account"))
                await eventually(partial(is_running, other_mariadb, "UPDATE sign_ins"))
                with other_mariadb.frozen():
                    status, took = await asking
                connection.rollback()

            assert status == 503
            assert took < PAGE_WITHIN_S
            assert (await who.signed_in.get("/account")).status_code == 200
        assert "Traceback" not in other_site.log.read_text()


async def is_running(server: MariaDB, statement: str) -> bool:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT info FROM information_schema.processlist")
        return any(str(info).startswith(statement) for (info,) in cursor.fetchall())


@on_mariadb
async def test_a_freeze_in_the_middle_of_things_leaves_no_session_and_no_connection_behind(
    other_mariadb: MariaDB, url: str, settings: Settings, sandbox: Sandbox, other_site: Served
) -> None:
    """Forty browsers go on and on while the database stops for longer than anybody waits."""
    answers: list[tuple[int, float]] = []
    over = asyncio.Event()

    async def browse(browser: httpx.AsyncClient, number: int) -> None:
        pages = cycle(PUBLIC_PAGES[number % 4 :] + PUBLIC_PAGES[: number % 4])
        while not over.is_set():
            answers.append(await timed(browser, next(pages)))

    async def are_at_it() -> bool:
        return len(answers) > 100

    async with shop_on(url, settings, sandbox):
        async with other_site.client() as browser:
            crowd = [asyncio.create_task(browse(browser, number)) for number in range(40)]
            await eventually(are_at_it)
            with other_mariadb.frozen():
                await asyncio.sleep(PAGE_WITHIN_S)
            over.set()
            await asyncio.gather(*crowd)
            await eventually(lambda: is_back(browser))
            told = (await browser.get("/metrics")).text

        assert {status for status, _ in answers} == {200, 503}
        assert max(took for _, took in answers) < PAGE_WITHIN_S
        assert "\nplaybill_db_sessions_open 0.0\n" in told
        assert "\nplaybill_db_connections_checked_out 0.0\n" in told
        assert "Traceback" not in other_site.log.read_text()
