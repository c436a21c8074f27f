"""A claimed purchase takes what was watched along."""

import asyncio

from server.access import repository as grants
from server.clock import now
from server.database.session import release, transaction
from server.playback import service as playback
from server.playback.records import ProgressRecord
from tests.playback.conftest import STARTED_AT, KollusPlayer, Person, Stage, grant


async def claim(stage: Stage, guest: Person, vera: Person, grant_id: str) -> None:
    """What the claim of an order does for one course."""
    async with transaction():
        await grants.move([grant_id], vera.viewer_id, now())
        await playback.move_progress(guest.viewer_id, vera.viewer_id, [stage.course.id])


async def progress(person: Person, stage: Stage) -> ProgressRecord | None:
    found = await playback.progress_of([person.viewer_id], [stage.lectures[1].id])
    await release()
    return found.get(stage.lectures[1].id)


async def test_progress_moves_and_the_open_player_goes_on(stage: Stage, guest: Person, vera: Person) -> None:
    grant_id = await grant(guest.viewer_id, stage.course)
    player = await guest.open_player(stage.path(stage.lectures[1]))
    await player.tell(player.report(seen=[0, 1], position=9, runtime=10))
    await claim(stage, guest, vera, grant_id)
    assert (await player.ask(3))["result"] == 1
    await player.tell(player.report(seen=[2], position=13, runtime=20))
    moved = await progress(vera, stage)
    assert moved is not None
    assert (moved.percent, moved.last_position_s) == (30, 13)
    assert await progress(guest, stage) is None


async def test_progress_is_joined_to_what_the_account_has_seen(
    stage: Stage, guest: Person, vera: Person, player: KollusPlayer
) -> None:
    grant_id = await grant(guest.viewer_id, stage.course)
    await player.tell(player.report(seen=range(5), position=20, start_at=STARTED_AT + 500))
    guests = await guest.open_player(stage.path(stage.lectures[1]))
    await guests.tell(guests.report(seen=range(4, 10), position=44, start_at=STARTED_AT))
    await claim(stage, guest, vera, grant_id)
    joined = await progress(vera, stage)
    assert joined is not None
    assert (joined.percent, joined.last_position_s, joined.completed) == (100, 20, True)


async def test_a_report_during_the_claim_is_not_lost(stage: Stage, guest: Person, vera: Person) -> None:
    grant_id = await grant(guest.viewer_id, stage.course)
    player = await guest.open_player(stage.path(stage.lectures[1]))
    reports = (player.report(seen=[block], position=block, runtime=block) for block in range(10))
    await asyncio.gather(*(player.tell(report) for report in reports), claim(stage, guest, vera, grant_id))
    moved = await progress(vera, stage)
    assert moved is not None
    assert moved.percent == 100
    assert await progress(guest, stage) is None


async def test_other_courses_stay_where_they_are(stage: Stage, guest: Person, vera: Person) -> None:
    await grant(guest.viewer_id, stage.course)
    player = await guest.open_player(stage.path(stage.lectures[1]))
    await player.tell(player.report(seen=[0], position=3))
    async with transaction():
        await playback.move_progress(guest.viewer_id, vera.viewer_id, [stage.archived.id])
    assert await progress(guest, stage) is not None
    assert await progress(vera, stage) is None
