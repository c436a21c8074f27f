"""Figures that alarms and charts stand on: their names and labels are fixed, and each of them counts."""

from sqlalchemy import select

from server.access.models import Grant
from server.database.session import current_session, session_scope, transaction
from tests.conftest import Sandbox, Site
from tests.engines import on_sqlite
from tests.factories import bought, create_course
from tests.figures import figure


@on_sqlite
async def test_every_answer_is_timed_by_the_pattern_of_its_route(site: Site, session: None) -> None:
    """A path, a slug or an invented method as a label would let anybody fill the operator's memory."""
    name = "playbill_http_request_duration_seconds_count"
    course = {"route": "/courses/<slug:str>", "method": "GET"}
    nothing = {"route": "unknown", "method": "other", "status": "404"}
    await create_course("first-night")
    await create_course("second-night")
    client = site.client()

    async def counted() -> list[float]:
        return [
            await figure(client, name, **course, status="200"),
            await figure(client, name, **course, status="404"),
            await figure(client, name, **nothing),
        ]

    before = await counted()
    for path in ("first-night", "second-night", "third-night"):
        await client.get(f"/courses/{path}")
    await client.request("BREW", "/coffee")
    await client.get("/tea")

    assert [now - then for now, then in zip(await counted(), before, strict=True)] == [2, 1, 2]


async def test_sessions_and_connections_are_seen_while_they_are_open(site: Site) -> None:
    client = site.client()

    async def counted() -> tuple[float, float]:
        return (
            await figure(client, "playbill_db_sessions_open"),
            await figure(client, "playbill_db_connections_checked_out"),
        )

    async with session_scope(site.app.ctx.sessions):
        session = current_session()
        opened = await counted()
        await session.scalar(select(1))
        in_use = await counted()

    assert (opened, in_use, await counted()) == ((1, 0), (1, 1), (0, 0))


async def test_paid_without_access_is_read_from_the_database_at_the_scrape(
    site: Site, session: None, sandbox: Sandbox
) -> None:
    await create_course()
    client, _ = await bought(site, sandbox)
    name = "playbill_paid_without_access"

    before = await figure(client, name)
    async with transaction():
        await current_session().execute(Grant.__table__.delete())  # type: ignore[attr-defined]

    assert (before, await figure(client, name)) == (0, 1)
