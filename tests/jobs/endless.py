"""A worker of its own that begins with a job and never ends it: to be killed."""

import asyncio

from server.database.engine import opened
from server.database.session import session_scope
from server.jobs import service, worker
from server.jobs.running import RunningJob
from server.settings import Settings, configure
from server.wiring import JOBS


async def begin(job: RunningJob) -> None:
    await job.report(1, 3)
    await asyncio.Event().wait()


async def main(settings: Settings) -> None:
    async with opened(settings.database_url) as sessions, session_scope(sessions):
        await worker.run_waiting()


if __name__ == "__main__":
    configure(Settings())
    service.register([*JOBS, service.Kind("steps", "Steps", begin)])
    asyncio.run(main(Settings()))
