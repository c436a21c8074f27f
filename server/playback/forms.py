"""What Kollus's players post. Numbers may arrive as integers or as digits; both are read."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, Json, ValidationError

from server.playback.watched import CELLS, Watched, seen_from_blocks
from server.web.forms import Form

UserValues = dict[str, Any]
# Far beyond any video, and still within the database's integers.
Seconds = Annotated[int, Field(ge=0, le=10**9)]


class PlayCallback(Form):
    """The fields of docs.kollus.com/en/dev-guide/vod/player-callback/play-callback that we use.

    Device fields (`player_id`, `device_name`, in older players `deviceName`) are sent too and not kept.
    """

    kind: int
    client_user_id: str
    media_content_key: str
    uservalues: Json[UserValues] = Field(default_factory=dict)


class _User(BaseModel):
    client_user_id: str | None = None


class _Content(BaseModel):
    media_content_key: str | None = None
    start_at: int = Field(ge=0)
    duration: Seconds = 0
    playtime: Seconds = 0
    real_playtime: Seconds = 0
    # A position in the video, not a time of day.
    last_play_at: Seconds
    runtime: Seconds = 0
    showtime: Seconds = 0


class _Blocks(BaseModel):
    block_count: int = Field(default=0, ge=0, le=CELLS)
    blocks: dict[str, Any] = {}

    def seen(self) -> int:
        # Counted from 0 in the JSON (and from 1 in the placeholders of the address, which we do not use).
        flags = (self.blocks.get(f"b{block}") in (1, "1") for block in range(self.block_count))
        return seen_from_blocks(flags, self.block_count)


class LmsReport(BaseModel):
    """`json_data` of docs.kollus.com/en/dev-guide/vod/player-callback/lms-callback."""

    user_info: _User = _User()
    content_info: _Content
    block_info: _Blocks = _Blocks()
    # An object, but some senders write an empty one as a list.
    uservalues: UserValues | list[Any] | None = None

    @property
    def ticket(self) -> object:
        return self.uservalues.get("uservalue0") if isinstance(self.uservalues, dict) else None

    def watched(self, duration_s: int) -> Watched:
        """What this report alone says about a video of `duration_s` seconds (0: not known to us)."""
        content = self.content_info
        position = min(content.last_play_at, duration_s or content.duration)
        return Watched(
            seen=self.block_info.seen(),
            furthest_s=position,
            last_position_s=position,
            last_at=(content.start_at, content.runtime),
        )


def read_report(json_data: str) -> LmsReport | None:
    """None if it is not such a report, or a number in it cannot be."""
    try:
        return LmsReport.model_validate_json(json_data)
    except ValidationError:
        return None
