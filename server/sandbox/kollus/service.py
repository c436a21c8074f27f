"""What the player page and the scripted viewer both do: open a view, hand over a report."""

import secrets
from collections.abc import Mapping

from .errors import PlayerError
from .gateway import check_url
from .outbox import Report
from .state import State, View


def open_view(state: State, query: Mapping[str, str], referer: str) -> View:
    """Check a player URL and remember the opening; PlayerError if it may not be opened."""
    request = {"query": dict(query), "referer": referer}
    try:
        opening = check_url(
            query,
            referer,
            config=state.config,
            settings=state.settings,
            contents=state.contents,
            now=state.clock(),
        )
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
    if state.settings.lms == "hold":
        state.outbox.put(report)
        return
    state.outbox.put(report, copies=state.settings.duplicate)
    await state.outbox.flush()
