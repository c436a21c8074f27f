"""A small course, people who may watch it, and a player that speaks as Kollus's does."""

import html
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from jwt import PyJWS

from server.access import service as access
from server.access.models import GrantReason
from server.accounts import service as accounts
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, LectureRecord
from server.claiming import service as claiming
from server.database.session import release, transaction
from server.settings import Settings
from server.tokens import new_token, order_key_id
from server.web import cookies
from tests.conftest import Site
from tests.factories import TESTER, course, lecture, section, stock

PLAY, LMS = "/callbacks/kollus/play", "/callbacks/kollus/lms"
STARTED_AT = int(time.time())  # of a viewing, if a test does not say: about when its page was opened


ACTS = [
    section("Act one", lecture("Overture", 2, preview=True), lecture("Light", 1)),
    section("Act two", lecture("Sound", 0)),
]


@dataclass(frozen=True)
class Stage:
    """The published course and its three lectures, in their order; the archived course."""

    course: CourseRecord
    lectures: list[LectureRecord]
    archived: CourseRecord
    farewell: LectureRecord

    def path(self, lecture: LectureRecord) -> str:
        return f"/learn/{self.course.slug}/{lecture.id}"

    @property
    def preview_path(self) -> str:
        return f"/courses/{self.course.slug}/preview/{self.lectures[0].id}"


@pytest_asyncio.fixture
async def stage(session: None) -> Stage:
    await stock(
        course("stagecraft", sections=ACTS),
        course("repertoire", status="archived", sections=[section("Only act", lecture("Farewell", 6))]),
    )
    sold, archived = await catalog.get_any("stagecraft"), await catalog.get_any("repertoire")
    lectures = [one for section in await catalog.curriculum(sold.id) for one in section.lectures]
    farewell = (await catalog.curriculum(archived.id))[0].lectures[0]
    await release()
    return Stage(sold, lectures, archived, farewell)


@dataclass(frozen=True)
class Person:
    """Somebody with a browser, which speaks English."""

    viewer_id: str
    http: httpx.AsyncClient
    settings: Settings

    async def open_player(self, path: str) -> "KollusPlayer":
        """Open the page at `path` and the player in it."""
        page = await self.http.get(path)
        assert page.status_code == 200, page.text
        url = player_url_in(page.text)
        assert url is not None
        return KollusPlayer(self.http, self.settings, url)


@pytest_asyncio.fixture
async def vera(session: None, site: Site, settings: Settings) -> Person:
    """Signed in; owns nothing yet."""
    async with transaction():
        account = await accounts.open_unproven("vera@example.com", "en")
        link = await accounts.issue_link(account.email, valid_for=timedelta(minutes=5))
    followed = await claiming.follow_link(link, accounts.Browser("127.0.0.1", "", None))
    browser = site.client(cookies={cookies.SIGN_IN: followed.sign_in_token})
    return Person(account.id, browser, settings)


@pytest_asyncio.fixture
async def guest(session: None, site: Site, settings: Settings) -> Person:
    """Holds an order key; owns nothing yet."""
    token = new_token()
    async with transaction():
        await access.register_viewer(order_key_id(token))
    return Person(order_key_id(token), site.client(cookies={cookies.ORDER_KEY: token}), settings)


@pytest.fixture
def stranger(session: None, site: Site, settings: Settings) -> Person:
    """Has no cookie at all."""
    return Person("", site.client(), settings)


@pytest_asyncio.fixture
async def player(stage: Stage, vera: Person) -> "KollusPlayer":
    """Vera, who owns the course without end, has opened its second lecture (45 s)."""
    await grant(vera.viewer_id, stage.course)
    return await vera.open_player(stage.path(stage.lectures[1]))


async def grant(viewer_id: str, course: CourseRecord, **terms: Any) -> str:
    async with transaction():
        given = await access.give(TESTER, viewer_id, course.id, GrantReason.STAFF, **terms)
    return given.id


class KollusPlayer:
    """Opens a player address and posts what the real player posts; answers are read as it reads them."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings, url: str) -> None:
        self._http = http
        self._settings = settings
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.query = query
        self.claims: dict[str, Any] = self.decoded(query["jwt"])
        self.user_values = {name: value for name, value in query.items() if name.startswith("uservalue")}

    def decoded(self, token: str) -> dict[str, Any]:
        payload = PyJWS().decode(token, self._settings.kollus_security_key, algorithms=["HS256"])
        read: dict[str, Any] = json.loads(payload)
        return read

    def form(self, kind: object = 1, **changes: Any) -> dict[str, Any]:
        whole = {
            "kind": str(kind),
            "client_user_id": self.claims["cuid"],
            "player_id": "f00d",
            "device_name": "Test",
            "media_content_key": self.claims["mc"][0]["mckey"],
            "uservalues": json.dumps(self.user_values),
        }
        return {name: value for name, value in (whole | changes).items() if value is not None}

    async def ask(self, kind: object = 1, **changes: Any) -> dict[str, Any]:
        """The `data` of the answer; a field that is given as None is left out of the question."""
        answer = await self._http.post(PLAY, data=self.form(kind, **changes))
        assert answer.status_code == 200
        assert answer.headers["X-KOLLUS-USERKEY"] == self._settings.kollus_custom_key
        data: dict[str, Any] = self.decoded(answer.text)["data"]
        return data

    def report(
        self,
        *,
        seen: Iterable[int],
        position: object,
        start_at: object = STARTED_AT,
        runtime: object = 10,
        block_count: int = 10,
    ) -> dict[str, Any]:
        """`json_data`: `seen` are numbers of blocks, `position` is in seconds."""
        blocks = {f"b{block}": 1 if block in set(seen) else 0 for block in range(block_count)}
        return {
            "user_info": {"client_user_id": self.claims["cuid"]},
            "content_info": {
                "media_content_key": self.claims["mc"][0]["mckey"],
                "duration": 45,
                "start_at": start_at,
                "playtime": 10,
                "real_playtime": 10,
                "last_play_at": position,
                "runtime": runtime,
                "showtime": 9,
            },
            "block_info": {"block_count": block_count, "blocks": blocks},
            "uservalues": self.user_values,
        }

    async def tell(self, report: object, **fields: str) -> None:
        """Post a report as the address in Kollus's console says; the answer has no meaning."""
        body = {"json_data": json.dumps(report), "uservalue0": self.user_values["uservalue0"]} | fields
        answer = await self._http.post(LMS, data=body)
        assert (answer.status_code, answer.content) == (200, b"")


def player_url_in(page: str) -> str | None:
    found = re.search(r'data-player-url="([^"]*)"', page)
    return html.unescape(found.group(1)) if found else None
