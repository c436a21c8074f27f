"""What a served site does beside its requests, without anybody's call."""

from server import wiring
from server.audit.records import Actor
from server.database.session import current_session, session_scope
from server.jobs import service as jobs
from server.jobs.records import JobRecord
from tests.factories import eventually
from tests.faults.conftest import Serve, Shop


async def test_a_job_that_somebody_asked_for_is_done_once(shop: Shop, serve: Serve) -> None:
    serve(workers=2)
    wiring.connect_domains()
    async with session_scope(shop.sessions):
        asked = await jobs.start(Actor.command("recount"), "recount")

        async def job_now() -> JobRecord:
            await current_session().reset()
            return await jobs.get(asked.id)

        async def is_over() -> bool:
            return (await job_now()).is_over

        await eventually(is_over)
        done = await job_now()

    assert (done.state.value, done.tries, done.result) == ("done", 1, {"courses": 1, "mended": 0})
