"""The progress record of one view, by Kollus's arithmetic, and the form in which it is reported.

`static/lms.js` does the same in the player page; one table of examples tests both.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .config import Config, Settings
from .outbox import Report
from .state import View

_PLACEHOLDER = re.compile(r"\{([A-Z0-9_]+)\}")
# Sums of quarter seconds fall a hair short of the whole second.
_HAIR = 1e-6


def whole(value: float) -> int:
    """Whole seconds (or percent), truncated as Kollus does."""
    return math.floor(value + _HAIR)


class Record:
    """What has been played, in seconds. `duration` is cut into `block_count` equal blocks."""

    def __init__(self, duration: int, block_count: int) -> None:
        self.duration = duration
        self.block_count = block_count
        self.playtime = 0.0
        self.showtime = 0.0
        self.runtime = 0.0
        self.position = 0.0
        self._seen: list[tuple[float, float]] = []
        self._block_time = [0.0] * block_count
        self._sessions: list[list[float]] = []

    def watch(self, start: float, end: float, rate: float) -> None:
        """Play from `start` to `end` (positions in the video) at `rate`."""
        end = min(end, self.duration)
        if end <= start:
            return
        self.playtime += end - start
        self.showtime += (end - start) / rate
        self.runtime += (end - start) / rate
        self.position = end
        self._seen = _joined([*self._seen, (start, end)])
        for block, (first, last) in self._cut(start, end):
            self._block_time[block] += last - first
            self._note_session(block, first, last)

    def idle(self, seconds: float) -> None:
        """The player is open and does not play for `seconds` on the clock."""
        self.runtime += seconds

    def seek(self, position: float) -> None:
        """Move without playing."""
        self.position = position

    def content_info(self) -> dict[str, int]:
        return {
            "duration": self.duration,
            "playtime": whole(self.playtime),
            "real_playtime": whole(sum(end - start for start, end in self._seen)),
            "playtime_percent": whole(self.playtime * 100 / self.duration),
            "last_play_at": whole(self.position),
            "runtime": whole(self.runtime),
            "showtime": whole(self.showtime),
        }

    def block_info(self) -> dict[str, Any]:
        blocks: dict[str, int] = {}
        for index, seconds in enumerate(self._block_time):
            blocks[f"b{index}"] = 1 if seconds > 0 else 0
            blocks[f"t{index}"] = whole(seconds)
            blocks[f"p{index}"] = whole(self._percent_seen(index))
        sessions = [
            {"block": int(block), "start_time": whole(first), "play_time": whole(last - first)}
            for block, first, last in self._sessions
        ]
        return {"block_count": self.block_count, "blocks": blocks, "sessions": sessions}

    def _bounds(self, block: int) -> tuple[float, float]:
        length = self.duration / self.block_count
        return block * length, (block + 1) * length

    def _cut(self, start: float, end: float) -> list[tuple[int, tuple[float, float]]]:
        pieces = []
        for block in range(self.block_count):
            low, high = self._bounds(block)
            first, last = max(start, low), min(end, high)
            if last > first:
                pieces.append((block, (first, last)))
        return pieces

    def _note_session(self, block: int, first: float, last: float) -> None:
        if self._sessions:
            latest = self._sessions[-1]
            if latest[0] == block and abs(latest[2] - first) < _HAIR:
                latest[2] = last
                return
        self._sessions.append([block, first, last])

    def _percent_seen(self, block: int) -> float:
        low, high = self._bounds(block)
        seen = sum(max(0.0, min(end, high) - max(start, low)) for start, end in self._seen)
        return seen * 100 / (high - low)


def identity(view: View, config: Config) -> dict[str, Any]:
    """The parts of a report that stay the same for the whole view."""
    opening = view.opening
    return {
        "user_info": {
            "content_provider_key": config.service_account_key,
            "client_user_id": opening.client_user_id,
            "player_id": view.player_id,
            "hardware_id": "",
            "host_name": opening.host_name,
            "device": view.device_name,
        },
        "content_info": {
            "encoding_profile": opening.item.profile or f"{config.service_account_key}-pc1-high",
            "media_content_key": opening.content.media_content_key,
            "channel_key": config.channel_key,
            "start_at": view.start_at,
        },
        "uservalues": dict(opening.user_values),
    }


def json_data(view_identity: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """The whole record, as it stands in `{JSON_DATA}`."""
    return {
        **view_identity,
        "content_info": view_identity["content_info"] | record.content_info(),
        "block_info": record.block_info(),
    }


def address(settings: Settings, view: View) -> tuple[str, list[tuple[str, str]]]:
    """The LMS URL without its query, and the query's names and templates: they travel in the form body.

    Both are empty when nothing is reported: there is no LMS URL, or the token names no user.
    """
    if not view.opening.client_user_id:
        return "", []
    parts = urlsplit(settings.lms_url)
    return parts._replace(query="", fragment="").geturl(), parse_qsl(parts.query, keep_blank_values=True)


def filled(url: str, templates: list[tuple[str, str]], data: Mapping[str, Any]) -> Report:
    """The report of `data` with every placeholder replaced; an unknown one becomes empty."""
    values = _placeholders(data)

    def fill(template: str) -> str:
        return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), ""), template)

    return Report(url, tuple((name, fill(template)) for name, template in templates))


def _placeholders(data: Mapping[str, Any]) -> dict[str, str]:
    user, content, blocks = data["user_info"], data["content_info"], data["block_info"]
    values = {
        "JSON_DATA": _compact(data),
        "CLIENT_USER_ID": user["client_user_id"],
        "PLAYER_ID": user["player_id"],
        "HARDWARE_ID": user["hardware_id"],
        "MEDIA_CONTENT_KEY": content["media_content_key"],
        "ENCODING_PROFILE_KEY": content["encoding_profile"],
        "START_AT": content["start_at"],
        "DURATION": content["duration"],
        "PLAY_TIME": content["playtime"],
        "REAL_PLAYTIME": content["real_playtime"],
        "PLAYTIME_PERCENT": content["playtime_percent"],
        "BLOCK_CNT": blocks["block_count"],
        "PLAY_BLOCK_JSON": _compact(blocks),
    }
    for index in range(blocks["block_count"]):  # 0-based in the JSON, 1-based in the placeholders
        values[f"BLOCK_PLAY_{index + 1}"] = blocks["blocks"][f"b{index}"]
        values[f"BLOCK_TIME_{index + 1}"] = blocks["blocks"][f"t{index}"]
    for name, value in data["uservalues"].items():
        values[name.upper()] = value
    return {name: str(value) for name, value in values.items()}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _joined(pieces: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1] + _HAIR:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
