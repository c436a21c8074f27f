"""A viewer without a browser: opens a player URL, asks for approval, watches in virtual time, reports."""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from .approval import admit, approve
from .errors import PlayerError
from .gateway import read_query
from .lms import Record, address, filled, identity, json_data
from .service import deliver, open_view
from .state import State, View


async def play(
    state: State, url: str, watch: Sequence[tuple[float, float]], rate: float, device: str
) -> dict[str, Any]:
    """Watch the pieces `watch` (seconds of the video) at `rate`, as fast as the machine can.

    Returns `{started, code, message, lms}`: `code` is the player's error that kept it from starting or
    stopped it (None if nothing did), `lms` the JSON records in the order in which they were reported (as
    documented, even while `odd_reports` changes what is sent).
    """
    screening: _Screening | None = None
    try:
        view = open_view(state, read_query(urlsplit(url).query), _referer(state))
        view.device_name = device
        view.player_id = hashlib.sha256(device.encode()).hexdigest()[:32]
        await admit(state, view)
        await approve(state, view, 3)
        screening = _Screening(state, view, 1.0 if view.opening.item.disable_playrate else rate)
        for start, end in watch:
            await screening.watch(start, end)
    except PlayerError as error:
        shown = error.as_json("en")
        code, message = shown["code"], shown["message"]
    else:
        code, message = None, ""
    return {
        "started": screening is not None,
        "code": code,
        "message": message,
        "lms": screening.reports if screening else [],
    }


def _referer(state: State) -> str:
    """The site's origin, which a browser would name as the embedding page's."""
    parts = urlsplit(state.settings.play_callback_url or state.settings.lms_url or "http://127.0.0.1")
    return f"{parts.scheme}://{parts.netloc}/"


class _Screening:
    """One viewing in virtual time: the clock is the record's own runtime."""

    def __init__(self, state: State, view: View, rate: float) -> None:
        self.reports: list[dict[str, Any]] = []
        self._state = state
        self._view = view
        self._rate = rate
        self._record = Record(view.opening.content.duration, state.settings.block_count)
        self._identity = identity(view, state.config)
        self._address = address(state.settings, view)
        self._next_report = state.settings.lms_period_s

    async def watch(self, start: float, end: float) -> None:
        section = self._view.play_section
        if section:
            start, end = max(start, section.start_time), min(end, section.end_time)
        end = min(end, self._record.duration)
        if start >= end:
            return
        self._record.seek(start)
        await self._report()  # play
        while self._record.position < end:
            try:
                self._check()
            except PlayerError:
                await self._report()
                raise
            await self._watch_until(min(end, self._record.position + self._step()))
        await self._report()  # pause, seek or end

    async def _watch_until(self, position: float) -> None:
        self._record.watch(self._record.position, position, self._rate)
        if self._record.runtime >= self._next_report:
            self._next_report += self._state.settings.lms_period_s
            await self._report()

    def _step(self) -> float:
        """Seconds of video until something is due: a report, or the end of what is allowed."""
        steps = [(self._next_report - self._record.runtime) * self._rate]
        if self._view.expiration_playtime:
            steps.append(self._view.expiration_playtime - self._record.playtime)
        if self._view.expiration_date:
            steps.append((self._view.expiration_date - self._now()) * self._rate)
        return max(min(steps), 1e-3)

    def _check(self) -> None:
        """Raise what ends the playing, once it is due."""
        limit = self._view.expiration_playtime
        if limit and self._record.playtime >= limit:
            raise PlayerError(8686, f"expiration_playtime is {limit} s")
        if self._view.expiration_date and self._now() >= self._view.expiration_date:
            raise PlayerError(7000, "expiration_date has come")
        user = self._view.opening.client_user_id
        self._state.devices.check(user, self._view.player_id, self._state.settings)

    def _now(self) -> float:
        return self._view.start_at + self._record.runtime

    async def _report(self) -> None:
        url, templates = self._address
        if not url:
            return
        data = json_data(self._identity, self._record)
        self.reports.append(data)
        await deliver(self._state, filled(url, templates, data))
