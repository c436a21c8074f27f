"""What the stand-in is started with, and what can be changed while it runs."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from .odd import KINDS

DEVICE_POLICIES = ("off", "one_at_a_time", "registered", "registered_one_at_a_time")


@dataclass(frozen=True, slots=True)
class Content:
    """One video of the channel. `duration` in whole seconds, as Kollus reports it."""

    media_content_key: str
    title: str
    path: Path
    duration: int


@dataclass(frozen=True, slots=True)
class Config:
    """One Kollus account with one private channel. Several custom keys may belong to one security key."""

    port: int
    service_account_key: str
    security_key: str
    custom_keys: tuple[str, ...]
    api_token: str
    channel_key: str
    media: Path
    play_callback_url: str = ""
    drm_callback_url: str = ""
    lms_url: str = ""
    allowed_domains: tuple[str, ...] = ("127.0.0.1", "localhost")

    def contents(self) -> dict[str, Content]:
        """Read `contents.json` of the media folder; OSError or KeyError if it is not what it should be."""
        listed = json.loads((self.media / "contents.json").read_text(encoding="utf-8"))
        contents = [
            Content(row["media_content_key"], row["title"], self.media / row["file"], row["duration"])
            for row in listed
        ]
        return {content.media_content_key: content for content in contents}


class SettingError(ValueError):
    """A setting that does not exist, or a value that it cannot have."""


def _text(value: object) -> bool:
    return isinstance(value, str)


def _integer_from(least: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and value >= least


def _integer_within(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _positive(value: object) -> bool:
    return type(value) in {int, float} and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _kinds_of_oddity(value: object) -> bool:
    return _flag(value) or (isinstance(value, list) and all(kind in list(KINDS) for kind in value))


def _flag(value: object) -> bool:
    return isinstance(value, bool)


@dataclass(slots=True)
class Settings:
    """The channel's settings and the test knobs. An empty URL switches its callback off.

    `lms`: reports go out at once ("now") or wait for a flush ("hold"). `duplicate`: how often each is posted.
    `shuffle`: a flush posts in another order than the reports came in. `odd_reports`: see odd.py; true: each
    kind in turn, a list: each of these. `allowed_domains`: empty means any. `channel_public`: a key alone
    opens a player. `device_policy`, `device_limit`: see devices.py.
    """

    play_callback_url: str = field(default="", metadata={"valid": _text})
    drm_callback_url: str = field(default="", metadata={"valid": _text})
    lms_url: str = field(default="", metadata={"valid": _text})
    platform_callback_url: str = field(default="", metadata={"valid": _text})
    lms: str = field(default="now", metadata={"valid": {"now", "hold"}.__contains__})
    lms_period_s: float = field(default=10, metadata={"valid": _positive})
    block_count: int = field(default=50, metadata={"valid": _integer_from(1)})
    duplicate: int = field(default=1, metadata={"valid": _integer_from(1)})
    shuffle: bool = field(default=False, metadata={"valid": _flag})
    odd_reports: bool | list[str] = field(default=False, metadata={"valid": _kinds_of_oddity})
    callback_timeout_ms: int = field(default=3000, metadata={"valid": _integer_from(1)})
    allowed_domains: list[str] = field(default_factory=list, metadata={"valid": _texts})
    channel_active: bool = field(default=True, metadata={"valid": _flag})
    channel_public: bool = field(default=False, metadata={"valid": _flag})
    device_policy: str = field(default="off", metadata={"valid": DEVICE_POLICIES.__contains__})
    device_limit: int = field(default=2, metadata={"valid": _integer_within(1, 10)})

    @classmethod
    def of(cls, config: Config) -> "Settings":
        return cls(
            play_callback_url=config.play_callback_url,
            drm_callback_url=config.drm_callback_url,
            lms_url=config.lms_url,
            allowed_domains=list(config.allowed_domains),
        )

    def update(self, changes: object) -> None:
        """Take a partial update as a whole or, with SettingError, not at all."""
        if not isinstance(changes, Mapping):
            raise SettingError("settings are a JSON object")
        rules = {setting.name: setting.metadata["valid"] for setting in fields(self)}
        for name, value in changes.items():
            if name not in rules:
                raise SettingError(f"there is no setting {name!r}")
            if not rules[name](value):
                raise SettingError(f"{name} cannot be {value!r}")
        for name, value in changes.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
