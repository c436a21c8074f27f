"""The claims of a player JWT, read strictly: what a gateway might ignore in silence is refused, and said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import PlayerError

REGISTERED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
# A count of seconds has ten digits until the year 2286: what is longer was counted in milliseconds.
_FIRST_MILLISECOND_STAMP = 10**11
_KEY = re.compile(r"[A-Za-z0-9]{8}")
_COLOR = re.compile(r"[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class PlaySection:
    """The only part of a video that plays, in seconds."""

    start_time: int
    end_time: int


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of `mc`. `seekable_end`: with `seek` false, the last second that may be sought; -1: none."""

    media_content_key: str
    profile: str
    title: str
    intro: bool
    seek: bool
    seekable_end: int
    disable_playrate: bool
    play_section: PlaySection | None


@dataclass(frozen=True, slots=True)
class Watermark:
    """Text shown over the picture: `show_time` seconds on, `hide_time` seconds off; `alpha` 255 is opaque."""

    code_kind: str
    font_size: int
    font_color: str
    show_time: int
    hide_time: int
    alpha: int


@dataclass(frozen=True, slots=True)
class Claims:
    client_user_id: str
    items: tuple[Item, ...]
    playback_rates: tuple[float, ...]
    watermark: Watermark | None


def read_claims(payload: Mapping[str, Any], now: float) -> Claims:
    """Check every claim; PlayerError 4007 (wrong form), 4085 (`expt` has passed) or 4001 (bad `mckey`)."""
    forbidden = REGISTERED & payload.keys()
    if forbidden:
        raise PlayerError(4007, f"registered claims must not be used: {', '.join(sorted(forbidden))}")
    _check_expt(payload.get("expt"), now)
    client_user_id = _of_type(payload, "cuid", str, "")
    listed = payload.get("mc")
    if not isinstance(listed, list) or not listed:
        raise PlayerError(4007, "mc must be a list of at least one object")
    return Claims(
        client_user_id=client_user_id,
        items=tuple(read_item(item) for item in listed),
        playback_rates=_read_rates(payload.get("playback_rates", [])),
        watermark=_read_watermark(payload.get("video_watermarking_code_policy"), client_user_id),
    )


def read_play_section(value: object) -> PlaySection | None:
    """`{"start_time", "end_time"}` in whole seconds, the end after the start; ValueError otherwise."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("play_section must be an object")
    start, end = value.get("start_time"), value.get("end_time")
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise ValueError("play_section needs whole seconds with 0 <= start_time < end_time")
    return PlaySection(start, end)


def _check_expt(expt: object, now: float) -> None:
    if type(expt) is not int:
        raise PlayerError(4007, f"expt must be a JSON integer (unix seconds), not {expt!r}")
    if expt >= _FIRST_MILLISECOND_STAMP:
        raise PlayerError(4007, f"expt is in seconds; {expt} looks like milliseconds")
    if expt <= now:
        raise PlayerError(4085, f"expt passed {now - expt:.0f} s ago")


def read_item(item: object) -> Item:
    """One entry of `mc`; PlayerError 4001 or 4007."""
    if not isinstance(item, dict):
        raise PlayerError(4007, "every entry of mc must be an object")
    key = item.get("mckey")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise PlayerError(4001, f"mckey must be eight letters or digits, not {key!r}")
    try:
        section = read_play_section(item.get("play_section"))
    except ValueError as error:
        raise PlayerError(4007, str(error)) from error
    return Item(
        media_content_key=key,
        profile=_of_type(item, "mcpf", str, ""),
        title=_of_type(item, "title", str, ""),
        intro=_flag(item, "intr", default=False),
        seek=_flag(item, "seek", default=True),
        seekable_end=_of_type(item, "seekable_end", int, -1),
        disable_playrate=_flag(item, "disable_playrate", default=False),
        play_section=section,
    )


def _read_rates(rates: object) -> tuple[float, ...]:
    if not isinstance(rates, list) or not all(type(rate) in {int, float} and 0 < rate <= 4 for rate in rates):
        raise PlayerError(4007, "playback_rates must be a list of numbers up to 4")
    return tuple(rates)


def _read_watermark(policy: object, client_user_id: str) -> Watermark | None:
    if policy is None:
        return None
    if not isinstance(policy, dict):
        raise PlayerError(4007, "video_watermarking_code_policy must be an object")
    kind = _of_type(policy, "code_kind", str, "client_user_id")
    color = _of_type(policy, "font_color", str, "FFFFFF")
    if not _COLOR.fullmatch(color):
        raise PlayerError(4007, f"font_color must be RRGGBB without a hash, not {color!r}")
    _flag(policy, "enable_html5_player", default=True)
    return Watermark(
        code_kind=client_user_id if kind == "client_user_id" else kind,
        font_size=_within(policy, "font_size", 14, 1, 200),
        font_color=color,
        show_time=_within(policy, "show_time", 1, 0, 86400),
        hide_time=_within(policy, "hide_time", 0, 0, 86400),
        alpha=_within(policy, "alpha", 255, 0, 255),
    )


def _within(source: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value: int = _of_type(source, name, int, default)
    if not least <= value <= most:
        raise PlayerError(4007, f"{name} must lie in {least}..{most}, not {value}")
    return value


def _of_type(source: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = source.get(name, default)
    if type(value) is not kind:  # exact: in Python a bool is an int as well, in JSON it is not
        raise PlayerError(4007, f"{name} must be of type {kind.__name__}, not {value!r}")
    return value


def _flag(source: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = source.get(name, default)
    if isinstance(value, bool) or (type(value) is int and value in {0, 1}):
        return bool(value)
    raise PlayerError(4007, f"{name} must be true or false, not {value!r}")
