"""What a player reports (`json_data` of Kollus's LMS callback), read field by field.

Players of several generations write it, and what one of them gets wrong must cost that field alone: a report
dropped for a position of 12.7 took along all that had been watched. What cannot be read is None; whatever was
not as documented is named in `odd`.
Source: docs.kollus.com/en/dev-guide/vod/player-callback/lms-callback.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.playback.watched import CELLS, Watched, seen_from_blocks

LONGEST_S = 2 * 10**9  # far beyond any video, and still within the database's integers
DAY_S = 86_400
_NUMBER = re.compile(r"([0-9]{1,18})(\.[0-9]*)?")
_FLAG = re.compile(r"b([0-9]{1,4})")

Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LmsReport:
    """None: not told, or not to be understood. In seconds; `start_at` in unix seconds."""

    ticket: object
    client_user_id: str | None
    media_content_key: str | None
    start_at: int | None
    duration_s: int | None
    playtime_s: int | None
    real_playtime_s: int | None
    runtime_s: int | None
    showtime_s: int | None
    last_position_s: int | None
    seen: int | None
    odd: frozenset[str]

    @property
    def says_nothing(self) -> bool:
        figures = (self.playtime_s, self.real_playtime_s, self.runtime_s, self.showtime_s)
        return all(told is None for told in (self.seen, self.last_position_s, *figures))

    def starts_at(self, opened_at: int) -> int:
        """When the viewing began; `opened_at`: when its page was made, in unix seconds.

        A player link can be opened for minutes, so what lies a day away is not a start. The page's time
        stands in for it because every copy of the report gets the same one, whenever it arrives.
        """
        told = self.start_at
        return told if told is not None and abs(told - opened_at) <= DAY_S else opened_at

    def odd_in(self, opened_at: int) -> frozenset[str]:
        """The names of all that is odd in a report of the play of this page."""
        is_start = self.starts_at(opened_at) == self.start_at
        return self.odd if is_start else self.odd | {"start_at"}

    def position(self, duration_s: int) -> int | None:
        """In a video of `duration_s` seconds (0: not known to us)."""
        if self.last_position_s is None:
            return None
        return min(self.last_position_s, duration_s or self.duration_s or self.last_position_s)

    def watched(self, opened_at: int, duration_s: int) -> Watched:
        """What this report alone says; `opened_at` and `duration_s` as above."""
        seen, position = self.seen or 0, self.position(duration_s)
        if position is None:
            return Watched(seen=seen)
        # Of the two the runtime counts pauses too. Beyond a day it is no second hand any more: a player that
        # counts in milliseconds would have the latest word for weeks.
        elapsed = self.runtime_s if self.runtime_s is not None else self.showtime_s or 0
        return Watched(
            seen=seen,
            furthest_s=position,
            last_position_s=position,
            last_at=(self.starts_at(opened_at), min(elapsed, DAY_S)),
        )


def read_report(json_data: str) -> LmsReport | None:
    """None if this is no report at all, or one of which nothing can be used."""
    try:
        whole = json.loads(json_data, parse_int=_integer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict):
        return None
    read = _Reader()
    user, content = read.part(whole, "user_info"), read.part(whole, "content_info")
    report = LmsReport(
        ticket=read.part(whole, "uservalues").get("uservalue0"),
        client_user_id=read.text(user, "client_user_id"),
        media_content_key=read.text(content, "media_content_key"),
        start_at=read.number(content, "start_at", most=10**12),
        duration_s=read.number(content, "duration"),
        playtime_s=read.number(content, "playtime"),
        real_playtime_s=read.number(content, "real_playtime"),
        runtime_s=read.number(content, "runtime"),
        showtime_s=read.number(content, "showtime"),
        last_position_s=read.number(content, "last_play_at"),
        seen=read.seen(read.part(whole, "block_info")),
        odd=frozenset(read.odd),
    )
    return None if report.says_nothing else report


class _Reader:
    """`odd`: the names of the fields that were not as documented, be they of use or not."""

    def __init__(self) -> None:
        self.odd: set[str] = set()

    def part(self, holder: Part, name: str) -> Part:
        """An object, or the text of one: so `uservalues` come in the play callback."""
        value = self._unpacked(holder, name)
        return value if isinstance(value, dict) else {}

    def text(self, part: Part, name: str) -> str | None:
        value = part.get(name)
        if isinstance(value, str):
            return value.strip() or None
        self.odd.add(name)
        return str(value) if type(value) is int else None

    def number(self, part: Part, name: str, most: int = LONGEST_S) -> int | None:
        """Documented as an integer, or its digits; a fraction is cut off."""
        value = part.get(name)
        read = _whole(value)
        if read is None or read > most:
            self.odd.add(name)
            return None
        if type(value) is not int and not (isinstance(value, str) and value.isdecimal()):
            self.odd.add(name)
        return read

    def seen(self, part: Part) -> int | None:
        """Cells of the blocks that were played."""
        flags = self._flags(part)
        count = self.number(part, "block_count", most=CELLS)
        if flags and not count:
            self.odd.add("block_count")
            count = _listed(flags)
        if flags is None or count is None:
            return None
        # Counted from 0 in the JSON, and from 1 in the placeholders of the address: a player may mix them up.
        first = 1 if count in flags and 0 not in flags else 0
        if first:
            self.odd.add("blocks")
        return seen_from_blocks((flags.get(first + block, False) for block in range(count)), count)

    def _flags(self, part: Part) -> dict[int, bool] | None:
        """By number of the block: whether it was played."""
        blocks = self._unpacked(part, "blocks")
        told: Iterable[tuple[int, object]]
        if isinstance(blocks, dict):
            named = ((_FLAG.fullmatch(name), flag) for name, flag in blocks.items())
            told = ((int(name[1]), flag) for name, flag in named if name)
        elif isinstance(blocks, list):
            told = enumerate(blocks)
        else:
            return None
        flags: dict[int, bool] = {}
        for number, flag in told:
            flags[number] = flag in (1, "1")
            if flag not in (0, 1, "0", "1"):
                self.odd.add("blocks")
        return flags

    def _unpacked(self, holder: Part, name: str) -> Any:
        value = holder.get(name)
        if not isinstance(value, dict):
            self.odd.add(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value, parse_int=_integer)
        except (ValueError, RecursionError):
            return None


def _listed(flags: Mapping[int, bool]) -> int | None:
    """How many blocks there are, by a whole list of them.

    Only if one is told to be unseen: whoever lists seen blocks alone would otherwise have seen everything.
    """
    count = len(flags)
    is_whole = count <= CELLS and flags.keys() == set(range(count)) and not all(flags.values())
    return count if is_whole else None


def _integer(digits: str) -> float:
    """Python refuses to read numbers of thousands of digits; none that long can be meant."""
    return int(digits) if len(digits) < 20 else math.inf


def _whole(value: object) -> int | None:
    """12 of 12, "12", 12.7 and "12.7"; None of all else, numbers below 0 included."""
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip())
        return int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return int(value)
