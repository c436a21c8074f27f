"""Reports as players of other generations write them: one thing in each is not as documented."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .outbox import Report

Record = dict[str, Any]


def _in_content(name: str, change: Callable[[Any], object]) -> Callable[[Record], None]:
    def alter(record: Record) -> None:
        record["content_info"][name] = change(record["content_info"][name])

    return alter


def _without_start(record: Record) -> None:
    del record["content_info"]["start_at"]


def _without_user(record: Record) -> None:
    record["user_info"] = None


def _without_block_count(record: Record) -> None:
    record["block_info"]["block_count"] = None


def _with_listed_blocks(record: Record) -> None:
    info = record["block_info"]
    info["blocks"] = [info["blocks"][f"b{block}"] for block in range(info["block_count"])]


def _with_text_of_user_values(record: Record) -> None:
    record["uservalues"] = json.dumps(record["uservalues"])


KINDS: Mapping[str, Callable[[Record], None]] = {
    "position_fraction": _in_content("last_play_at", lambda value: value + 0.7),
    "position_empty": _in_content("last_play_at", lambda _: ""),
    "position_negative": _in_content("last_play_at", lambda _: -1),
    "position_null": _in_content("last_play_at", lambda _: None),
    "start_missing": _without_start,
    "start_in_milliseconds": _in_content("start_at", lambda value: value * 1000),
    "runtime_nan": _in_content("runtime", lambda _: float("nan")),
    "playtime_null": _in_content("playtime", lambda _: None),
    "block_count_null": _without_block_count,
    "blocks_listed": _with_listed_blocks,
    "user_info_null": _without_user,
    "uservalues_text": _with_text_of_user_values,
}


def chosen(setting: bool | Sequence[str]) -> Sequence[str]:
    """The kinds that the setting `odd_reports` asks for: all, these, or none."""
    if isinstance(setting, bool):
        return tuple(KINDS) if setting else ()
    return setting


def made_odd(report: Report, kind: str) -> Report:
    """The same report with `{JSON_DATA}` changed, whichever parameter carries it."""
    return replace(report, form=tuple((name, _changed(value, kind)) for name, value in report.form))


def _changed(value: str, kind: str) -> str:
    try:
        record = json.loads(value)
    except ValueError:
        return value
    if not isinstance(record, dict) or "content_info" not in record:
        return value
    KINDS[kind](record)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))
