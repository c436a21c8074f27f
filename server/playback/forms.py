"""What Kollus's players ask. What they report is read in lms.py, more leniently: there nothing is decided."""

from typing import Any

from pydantic import Field, Json

from server.playback.approval import Question
from server.web.forms import Form

UserValues = dict[str, Any]


class PlayCallback(Form):
    """The fields of docs.kollus.com/en/dev-guide/vod/player-callback/play-callback that we use.

    Device fields (`player_id`, `device_name`, in older players `deviceName`) are sent too and not kept.
    """

    kind: int
    client_user_id: str
    media_content_key: str
    uservalues: Json[UserValues] = Field(default_factory=dict)

    @property
    def question(self) -> Question:
        ticket = self.uservalues.get("uservalue0")
        return Question(self.kind, ticket, self.client_user_id, self.media_content_key)
