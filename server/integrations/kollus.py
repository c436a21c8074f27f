"""Kollus: the player link that a page embeds, and the signed answers that its players accept.

Everything here is arithmetic on our side; no call goes over the network. Field names and limits are those of
docs.kollus.com/en/dev-guide/vod (player/call-player, player/jwt/standard, player-callback/play-callback).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm

from server.clock import now
from server.settings import Settings

USER_KEY_HEADER = "X-KOLLUS-USERKEY"
SET_EXPIRY, FINAL_APPROVAL = 1, 3  # the two kinds of play callback: before loading, and when ready to play
LATEST_EXPIRATION = 1893455999  # 2029-12-31 23:59:59 UTC: a later date is refused by the player


class _AnyKeyLength(HMACAlgorithm):
    """Kollus issues security keys shorter than RFC 7518 asks for; PyJWT would warn at every signature."""

    def check_key_length(self, key: bytes) -> None:
        return None


def _signer() -> PyJWS:
    jws = PyJWS(algorithms=[])
    jws.register_algorithm("HS256", _AnyKeyLength(HMACAlgorithm.SHA256))
    return jws


_JWS = _signer()


class KollusClient:
    """Speaks for one Kollus account. Security key and API token never leave the server."""

    def __init__(self, settings: Settings) -> None:
        self._security_key = settings.kollus_security_key
        self._gateway_url = settings.kollus_gateway_url
        self.custom_key = settings.kollus_custom_key

    def player_url(
        self,
        *,
        media_content_key: str,
        cuid: str,
        start_s: int,
        title: str,
        user_values: Mapping[str, str],
        watermark: str | None = None,
        expires_in_s: int = 300,
    ) -> str:
        """The address of one viewer's player, for an iframe; made anew for every page view.

        `cuid`: our id of the viewer, never empty (without it the player asks for no approval), stable per
        person (Kollus counts devices by it). `start_s`: seconds into the video. `user_values`: `uservalue0`
        to `uservalue9`, copied into every callback. `watermark`: text laid over the picture now and then.
        `expires_in_s`: how long the address may be *opened* (`expt`, unix seconds), not how long it plays.

        Source: docs.kollus.com/en/dev-guide/vod/player/jwt/standard. Registered JWT claims are not allowed.
        """
        claims: dict[str, Any] = {
            "cuid": cuid,
            "expt": int(now().timestamp()) + expires_in_s,
            # Without disable_nscreen Kollus asks about a place of its own beside ours.
            "mc": [{"mckey": media_content_key, "title": title, "disable_nscreen": True}],
        }
        if watermark:
            claims["video_watermarking_code_policy"] = _watermark(watermark)
        query = {
            "jwt": self._signed(claims),
            "custom_key": self.custom_key,
            "s": str(start_s),
            "loadcheck": "0",  # or a refusal's words are not shown on a PC
            **user_values,
        }
        return f"{self._gateway_url}/s?{urlencode(query)}"

    def allow(self, kind: int, until: datetime | None) -> str:
        """The answer "play" to a play callback of `kind` 1 or 3; `until` None: no end.

        Numbers are JSON integers: a string makes the player fail (error 8672).
        """
        if kind == FINAL_APPROVAL:
            return self.sign_reply({"kind": kind, "result": 1, "content_expired": 0})
        expiration = min(int(until.timestamp()), LATEST_EXPIRATION) if until else 0
        return self.sign_reply({"kind": kind, "result": 1, "expiration_date": expiration})

    def refuse(self, message: str) -> str:
        """The answer "do not play" to a play callback of any kind; the viewer reads `message`."""
        return self.sign_reply({"result": 0, "message": message})

    def sign_reply(self, data: Mapping[str, Any]) -> str:
        """The body of a callback's answer: a bare JWT. Send it with header USER_KEY_HEADER: custom_key."""
        return self._signed({"data": dict(data)})

    def _signed(self, claims: Mapping[str, Any]) -> str:
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return _JWS.encode(payload, self._security_key.encode(), algorithm="HS256")


def _watermark(text: str) -> dict[str, Any]:
    """Five seconds in thirty, faint; `enable_html5_player` false would force the installed player."""
    return {
        "code_kind": text,
        "font_size": 12,
        "font_color": "FFFFFF",
        "show_time": 5,
        "hide_time": 25,
        "alpha": 90,
        "enable_html5_player": True,
    }
