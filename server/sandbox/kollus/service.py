"""What the player page and the scripted viewer both do: open a view, hand over a report."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from .errors import PlayerError
from .gateway import Opening, check_share, check_url
from .outbox import Report
from .state import State, View


def open_view(state: State, query: Mapping[str, str], referer: str) -> View:
    """Check a player URL and remember the opening; PlayerError if it may not be opened."""
    return _open(
        state,
        {"query": dict(query), "referer": referer},
        lambda: check_url(
            query,
            referer,
            config=state.config,
            custom_keys=state.custom_keys,
            settings=state.settings,
            contents=state.contents,
            now=state.clock(),
        ),
    )


def open_share(state: State, key: str, referer: str) -> View:
    """The same for a share URL, which names nothing but a video."""
    return _open(
        state,
        {"key": key, "referer": referer},
        lambda: check_share(key, referer, settings=state.settings, contents=state.contents),
    )


def _open(state: State, request: Mapping[str, Any], check: Callable[[], Opening]) -> View:
    try:
        opening = check()
    except PlayerError as error:
        state.log.add("open", request, {"error": error.detail}, error.code)
        raise
    view = View(
        id=secrets.token_urlsafe(16),
        opening=opening,
        start_at=int(state.clock()),
        play_section=opening.item.play_section,
    )
    state.keep(view)
    state.log.add("open", request, {"view": view.id, "title": opening.title}, None)
    return view


async def deliver(state: State, report: Report) -> None:
    """Post a report to the site, after those that still wait; while reports are held, only keep it."""
    report = state.as_players_write(report)
    if state.settings.lms == "hold":
        state.outbox.put(report)
        return
    state.outbox.put(report, copies=state.settings.duplicate)
    await state.outbox.flush()
