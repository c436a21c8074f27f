"""The answer to "may this player play?", asked by Kollus at every play."""

from dataclasses import dataclass
from datetime import datetime

from server.access import service as access
from server.access.records import Viewer
from server.catalog import service as catalog
from server.integrations.kollus import FINAL_APPROVAL, SET_EXPIRY
from server.playback import repository
from server.playback.tickets import play_id_of


@dataclass(frozen=True, slots=True)
class Question:
    """Of what a player says, that which is compared with what we know of its play."""

    kind: int
    ticket: object  # whatever was sent as one
    client_user_id: str
    media_content_key: str


@dataclass(frozen=True, slots=True)
class Approval:
    """`is_ours`: false if the question was not about a play of ours, whoever asked it."""

    allowed: bool
    until: datetime | None = None
    is_ours: bool = True


NOT_OURS = Approval(allowed=False, is_ours=False)


async def approve(asked: Question) -> Approval:
    """Ask the ledger for whoever the play was opened for; never believes what the player says beyond that."""
    play_id = play_id_of(asked.ticket)
    if play_id is None or asked.kind not in (SET_EXPIRY, FINAL_APPROVAL):
        return NOT_OURS
    play = await repository.get_play(play_id)
    if play is None or play.cuid != asked.client_user_id:
        return NOT_OURS
    lecture = await catalog.get_lecture(play.lecture_id)
    # The key may have changed since the page was opened: then this is the old video's player.
    if lecture is None or lecture.media_content_key != asked.media_content_key:
        return NOT_OURS
    permission = await access.may_watch(Viewer.of(play.viewer_id), lecture)
    return Approval(permission.allowed, permission.until)
