"""Promises 3 and 6 in one chain: from a dispute at Stripe to the answer that a player gets, and back."""

import asyncio

import pytest

from server.database.session import release
from server.playback import service as playback
from server.playback.records import ProgressRecord
from tests.conftest import Sandbox
from tests.factories import order_in, pay
from tests.playback.conftest import KollusPlayer, Person, Stage


async def told(sandbox: Sandbox, kind: str) -> str:
    """Have Stripe deliver its latest event of this type; returns the id of what it is about."""
    event = await asyncio.to_thread(sandbox.event, kind)
    delivered = await sandbox.astripe(f"events/{event['id']}/deliver")
    assert [attempt["status"] for attempt in delivered["attempts"]] == [200]
    return str(event["data"]["object"]["id"])


async def results(player: KollusPlayer) -> tuple[int, int]:
    return (await player.ask(1))["result"], (await player.ask(3))["result"]


async def progress(stage: Stage, vera: Person) -> ProgressRecord:
    found = await playback.progress_of([vera.viewer_id], [stage.lectures[1].id])
    await release()
    return found[stage.lectures[1].id]


@pytest.mark.parametrize(("won", "after"), [(True, (1, 1)), (False, (0, 0))])
async def test_a_dispute_stops_the_next_play_and_only_a_won_one_lets_it_go_on_where_it_stopped(
    stage: Stage, vera: Person, sandbox: Sandbox, won: bool, after: tuple[int, int]
) -> None:
    await pay(sandbox, await order_in(vera.http, "stagecraft"))
    charge = sandbox.event("charge.succeeded")["data"]["object"]["id"]
    await told(sandbox, "payment_intent.succeeded")
    player = await vera.open_player(stage.path(stage.lectures[1]))
    paid = await results(player)
    await player.tell(player.report(seen=[0, 1, 2], position=13))
    before = await progress(stage, vera)

    await sandbox.astripe(f"charges/{charge}/dispute")
    dispute = await told(sandbox, "charge.dispute.created")
    disputed = await results(player)
    turned_away = await vera.http.get(stage.path(stage.lectures[1]))
    await sandbox.astripe(f"disputes/{dispute}/close", won=won)
    await told(sandbox, "charge.dispute.closed")

    assert (paid, disputed, await results(player)) == ((1, 1), (0, 0), after)
    assert turned_away.headers["location"] == "/courses/stagecraft"
    assert (before.percent, before.last_position_s) == (30, 13)
    assert await progress(stage, vera) == before
    if won:
        assert (await vera.open_player(stage.path(stage.lectures[1]))).query["s"] == "13"
