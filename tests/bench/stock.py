"""A catalog of any size, made of the demo's courses, and owners with a player open."""

import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

from server.access import service as access
from server.access.models import GrantReason
from server.access.records import Viewer
from server.accounts import service as accounts
from server.accounts import signing_in
from server.accounts.models import Role
from server.catalog import service as catalog
from server.catalog.models import CourseStatus
from server.database.session import transaction
from server.playback import pages
from server.settings import ROOT
from tests.bench.cases import Seat
from tests.factories import PASSWORD, TESTER

DEMO: dict[str, Any] = json.loads((ROOT / "server" / "demo" / "catalog.json").read_text("utf-8"))


def _courses() -> Iterator[dict[str, Any]]:
    """The published courses of the demo over and over, each under a slug of its own."""
    published = [course for course in DEMO["courses"] if course["status"] == CourseStatus.PUBLISHED]
    for number, course in enumerate(cycle(published)):
        yield course | {"slug": f"{course['slug']}-{number}"}


def first_slug() -> str:
    return str(next(_courses())["slug"])


async def stock(courses: int) -> None:
    """Bring the catalog to this many courses; what is there stays. Needs a session."""
    data = {"categories": DEMO["categories"], "courses": list(islice(_courses(), courses))}
    await catalog.import_catalog(TESTER, data)


async def take_seat(number: int) -> Seat:
    """An account that owns the first course and has its second lecture open. Needs a session."""
    email = f"owner-{number}@playbill.example"
    account = await accounts.create_account(TESTER, email, PASSWORD, Role.VIEWER, "Owner")
    sign_in_token = await signing_in.sign_in(email, PASSWORD, accounts.Browser("127.0.0.1", "", None))
    course = await catalog.get_any(first_slug())
    async with transaction():
        await access.give(TESTER, account.id, course.id, GrantReason.STAFF)
    lecture = [one for section in await catalog.curriculum(course.id) for one in section.lectures][1]
    shown = await pages.watch_page(Viewer(account_id=account.id), course.slug, lecture.id)
    assert shown.player_url is not None
    return Seat(
        sign_in_token=sign_in_token,
        slug=course.slug,
        lecture_id=lecture.id,
        media_content_key=lecture.media_content_key,
        cuid=f"u-{account.id}",
        ticket=parse_qs(urlsplit(shown.player_url).query)["uservalue0"][0],
    )
