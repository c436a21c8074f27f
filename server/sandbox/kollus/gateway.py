"""The checks of a player URL, in the gateway's order: keys, token, content, channel, embedding page."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from .claims import Item, Watermark, read_claims, read_item
from .config import Config, Content, Settings
from .errors import PlayerError
from .tokens import PayloadError, TokenError, verify

_HEX = re.compile(r"[0-9a-fA-F]+")
_SECONDS = re.compile(r"[0-9]{1,9}")
_USER_VALUE = re.compile(r"uservalue[0-9]")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a valid player URL asks for. `start`: seconds, None if the URL does not say."""

    content: Content
    item: Item
    client_user_id: str
    user_values: Mapping[str, str]
    host_name: str
    start: int | None
    autoplay: bool
    mute: bool
    playback_rates: tuple[float, ...]
    watermark: Watermark | None

    @property
    def title(self) -> str:
        return self.item.title or self.content.title


def read_query(query: str) -> dict[str, str]:
    """The parameters of a player URL; flags such as `autoplay` have no value."""
    return dict(parse_qsl(query, keep_blank_values=True))


def check_url(
    query: Mapping[str, str],
    referer: str,
    *,
    config: Config,
    custom_keys: Collection[str],
    settings: Settings,
    contents: Mapping[str, Content],
    now: float,
) -> Opening:
    """Return what `query` may open, or raise PlayerError with the code that the player shows."""
    _check_custom_key(query, custom_keys)
    try:
        payload = verify(query["jwt"], config.security_key)
    except (TokenError, PayloadError) as error:
        raise PlayerError(4007, str(error)) from error
    claims = read_claims(payload, now)
    for item in claims.items:
        if item.media_content_key not in contents:
            raise PlayerError(4012, f"the channel has no content {item.media_content_key}")
    main = next((item for item in claims.items if not item.intro), None)
    if main is None:
        raise PlayerError(4020, "mc has intros only")
    if not settings.channel_active:
        raise PlayerError(4025, "the channel is switched off")
    return Opening(
        content=contents[main.media_content_key],
        item=main,
        client_user_id=claims.client_user_id,
        user_values={name: value for name, value in query.items() if _USER_VALUE.fullmatch(name)},
        host_name=_check_referer(referer, settings.allowed_domains),
        start=_read_start(query.get("s")),
        autoplay="autoplay" in query,
        mute="mute" in query,
        playback_rates=claims.playback_rates,
        watermark=claims.watermark,
    )


def check_share(key: str, referer: str, *, settings: Settings, contents: Mapping[str, Content]) -> Opening:
    """What a content key alone opens: in a public channel the video, for nobody in particular."""
    if key not in contents:
        raise PlayerError(4012, f"the channel has no content {key}")
    if not settings.channel_public:
        raise PlayerError(4081, "the channel is private")
    if not settings.channel_active:
        raise PlayerError(4025, "the channel is switched off")
    return Opening(
        content=contents[key],
        item=read_item({"mckey": key}),
        client_user_id="",
        user_values={},
        host_name=_check_referer(referer, settings.allowed_domains),
        start=None,
        autoplay=False,
        mute=False,
        playback_rates=(),
        watermark=None,
    )


def _check_custom_key(query: Mapping[str, str], valid: Collection[str]) -> None:
    if not query.get("jwt") or not query.get("custom_key"):
        raise PlayerError(4083, "jwt and custom_key are both required")
    custom_key = query["custom_key"]
    if not _HEX.fullmatch(custom_key):
        raise PlayerError(4004, "a custom key is hexadecimal")
    if custom_key not in valid:
        raise PlayerError(4082, "the custom key is not one of this account")


def _check_referer(referer: str, allowed: list[str]) -> str:
    host = urlsplit(referer).hostname or ""
    if allowed and host not in allowed:
        raise PlayerError(4031, f"opened from {host!r} (Referer), allowed: {', '.join(allowed)}")
    return host


def _read_start(value: str | None) -> int | None:
    if value is None:
        return None
    if not _SECONDS.fullmatch(value):
        raise PlayerError(4083, f"s is whole seconds, not {value!r}")
    return int(value)
