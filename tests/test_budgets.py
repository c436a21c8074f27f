"""Promise 9: what one request may ask the database, SELECT, INSERT, UPDATE and DELETE statements, signed in.

The same with a dozen and with a thousand courses: a page that asks once per course fails here.
"""

import json
from collections.abc import Awaitable, Callable

import httpx

from server.database.session import release
from server.settings import Settings
from tests.bench.cases import CASES, FIRST_COUNT, Case, Seat
from tests.bench.stock import first_slug, stock, take_seat
from tests.conftest import Sandbox, Site
from tests.factories import deliver, order_in, pay, signature_of

BUDGETS = {case.name: case.statements for case in CASES} | {"webhook": 10}

Act = Callable[[], Awaitable[httpx.Response]]


async def test_no_request_asks_the_database_more_than_its_budget(
    session: None, site: Site, sandbox: Sandbox, settings: Settings
) -> None:
    spent = []
    for number, courses in enumerate((12, 1000)):
        await stock(courses)
        async with site.client() as client:
            seat = await take_seat(number)
            await release()
            acts = {case.name: _asking(client, case, seat) for case in CASES}
            acts["webhook"] = await _delivering(client, sandbox, settings)
            spent.append({name: await _cost(site, act) for name, act in acts.items()})

    with_a_dozen, with_a_thousand = spent
    assert {name: cost for name, cost in with_a_dozen.items() if cost > BUDGETS[name]} == {}
    assert with_a_thousand == with_a_dozen


async def _cost(site: Site, act: Act) -> int:
    with site.statements() as statements:
        answer = await act()
    assert answer.status_code == 200, answer.text
    assert statements, "nothing was counted"
    return len(statements)


def _asking(client: httpx.AsyncClient, case: Case, seat: Seat) -> Act:
    ask = case.ask(seat).counted(FIRST_COUNT)
    return lambda: client.request(ask.method, ask.path, headers=ask.headers, content=ask.body)


async def _delivering(client: httpx.AsyncClient, sandbox: Sandbox, settings: Settings) -> Act:
    """A guest has paid, and Stripe's first word of it arrives."""
    await pay(sandbox, await order_in(client, first_slug()))
    body = json.dumps(sandbox.event("payment_intent.succeeded")).encode()
    return lambda: deliver(client, body, signature_of(body, settings.webhook_secrets[0]))
