"""What is measured: requests of a signed-in owner and of her player, and what each may ask the database."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from server.integrations.kollus import SET_EXPIRY
from server.settings import settings
from server.web import cookies

# In a body: a number that grows with every request, always of ten digits. Without it every progress report
# but the first would be a repetition, which writes nothing. It is a time of today: so is a viewing's start.
COUNTER = "COUNTER_10"
FIRST_COUNT = int(time.time())


@dataclass(frozen=True)
class Seat:
    """An owner of a course in her browser, and the player that she has open."""

    sign_in_token: str
    slug: str
    lecture_id: str
    media_content_key: str
    cuid: str
    ticket: str


@dataclass(frozen=True)
class Ask:
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def raw(self, host: str) -> str:
        """As it goes over the wire; an ASCII body only."""
        headers = {"Host": host, **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", self.body])

    def counted(self, count: int) -> "Ask":
        return Ask(self.method, self.path, self.headers, self.body.replace(COUNTER, str(count)))


@dataclass(frozen=True)
class Case:
    """`statements`: the most SELECT, INSERT, UPDATE and DELETE statements that one request may cost."""

    name: str
    statements: int
    ask: Callable[[Seat], Ask]


def _page(seat: Seat, path: str) -> Ask:
    return Ask("GET", path, {"Cookie": f"{cookies.SIGN_IN}={seat.sign_in_token}", "Accept-Language": "ko"})


def _post(path: str, fields: dict[str, str]) -> Ask:
    return Ask("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields))


def _list(seat: Seat) -> Ask:
    return _page(seat, "/courses")


def _course(seat: Seat) -> Ask:
    return _page(seat, f"/courses/{seat.slug}")


def _watch(seat: Seat) -> Ask:
    return _page(seat, f"/learn/{seat.slug}/{seat.lecture_id}")


def _play(seat: Seat) -> Ask:
    return _post(
        "/callbacks/kollus/play",
        {
            "kind": str(SET_EXPIRY),
            "client_user_id": seat.cuid,
            "player_id": "f00d",
            "media_content_key": seat.media_content_key,
            "uservalues": json.dumps({"uservalue0": seat.ticket, "uservalue1": settings().locale_list[0]}),
        },
    )


def _lms(seat: Seat) -> Ask:
    """A report of ten blocks, five of them seen, of a viewing that began after the one before."""
    report = {
        "user_info": {"client_user_id": seat.cuid},
        "content_info": {
            "media_content_key": seat.media_content_key,
            "start_at": COUNTER,
            "duration": 45,
            "playtime": COUNTER,
            "real_playtime": COUNTER,
            "runtime": COUNTER,
            "showtime": COUNTER,
            "last_play_at": 12,
        },
        "block_info": {"block_count": 10, "blocks": {f"b{block}": int(block < 5) for block in range(10)}},
        "uservalues": {"uservalue0": seat.ticket},
    }
    return _post("/callbacks/kollus/lms", {"json_data": json.dumps(report), "uservalue0": seat.ticket})


CASES = (
    Case("list", 4, _list),
    Case("course page", 5, _course),
    Case("watch page", 6, _watch),
    Case("play callback", 3, _play),
    Case("LMS callback", 5, _lms),
)
