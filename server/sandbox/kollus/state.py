"""All that the stand-in remembers while it runs: settings, opened views, waiting reports, the log."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from .claims import PlaySection
from .config import Config, Content, Settings
from .devices import Devices
from .gateway import Opening
from .odd import chosen, made_odd
from .outbox import Outbox, Report

_KEPT_VIEWS = 1000
_KEPT_ENTRIES = 2000


class Log:
    """What came and went, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT_ENTRIES)

    def add(
        self, kind: str, request: Mapping[str, Any], response: Mapping[str, Any], code: int | None
    ) -> None:
        """`kind`: open (a player URL), play (its callback) or lms. `code`: the player's error code."""
        at = datetime.now(UTC).isoformat()
        self._entries.append({"at": at, "kind": kind, "request": request, "response": response, "code": code})

    def entries(self) -> list[dict[str, Any]]:
        return list(self._entries)

    def clear(self) -> None:
        self._entries.clear()


@dataclass(slots=True)
class View:
    """One opening of a player. `start_at` (unix seconds) stays the same in all its reports."""

    id: str
    opening: Opening
    start_at: int
    play_section: PlaySection | None
    player_id: str = ""
    device_name: str = ""
    expiration_date: int = 0
    expiration_playtime: int = 0
    approved: bool = False


@dataclass(slots=True)
class State:
    config: Config
    contents: Mapping[str, Content]
    clock: Callable[[], float]
    http: httpx.AsyncClient
    settings: Settings
    devices: Devices = field(default_factory=Devices)
    log: Log = field(default_factory=Log)
    custom_keys: list[str] = field(init=False)
    """Valid at the moment; all belong to the one security key."""
    views: dict[str, View] = field(default_factory=dict)
    outbox: Outbox = field(init=False)
    turns: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.http, self.log.add)
        self.custom_keys = list(self.config.custom_keys)

    def keep(self, view: View) -> None:
        """Remember a view; the oldest are forgotten in time."""
        self.views[view.id] = view
        while len(self.views) > _KEPT_VIEWS:
            del self.views[next(iter(self.views))]

    def as_players_write(self, report: Report) -> Report:
        """The report with something odd in it, while the settings ask for that."""
        kinds = chosen(self.settings.odd_reports)
        return made_odd(report, kinds[next(self.turns) % len(kinds)]) if kinds else report

    def rotate_custom_key(self, *, void_old: bool) -> str:
        """Issue one more key, as the console does; the old ones stay valid unless they are voided."""
        if void_old:
            self.custom_keys.clear()
        self.custom_keys.append(secrets.token_hex(32))
        return self.custom_keys[-1]

    def reset(self) -> None:
        self.settings = Settings.of(self.config)
        self.custom_keys = list(self.config.custom_keys)
        self.devices.clear()
        self.log.clear()
        self.views.clear()
        self.outbox.clear()
        self.turns = count()
