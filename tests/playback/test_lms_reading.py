"""One odd field costs itself: for every field of a report and every odd value, all else is kept."""

import json
import math
import random
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import pytest

from server.playback.lms import DAY_S, LmsReport, read_report
from server.playback.watched import CELLS, Watched

OPENED_AT = 1_780_000_000
DURATION_S = 45
LEFT_OUT = object()
Json = dict[str, Any]


def documented() -> Json:
    """As in the protocol: half of ten blocks were seen."""
    return {
        "user_info": {"client_user_id": "u-vera", "player_id": "f00d"},
        "content_info": {
            "media_content_key": "hBftp9d6",
            "start_at": OPENED_AT + 5,
            "duration": DURATION_S,
            "playtime": 21,
            "real_playtime": 20,
            "runtime": 30,
            "showtime": 22,
            "last_play_at": 13,
        },
        "block_info": {"block_count": 10, "blocks": {f"b{block}": int(block < 5) for block in range(10)}},
        "uservalues": {"uservalue0": "ticket"},
    }


def read(record: object) -> LmsReport | None:
    return read_report(json.dumps(record))


def known(record: object) -> LmsReport:
    report = read(record)
    assert report is not None
    return report


def kept(report: LmsReport, *but: str) -> Json:
    """What was read, without these attributes."""
    names = set(LmsReport.__dataclass_fields__) - {"odd", *but}
    return {name: getattr(report, name) for name in names}


def changed(path: tuple[str, ...], value: object) -> Json:
    """The documented record with another value at `path`."""
    record = documented()
    holder = record
    for part in path[:-1]:
        holder = holder[part]
    if value is LEFT_OUT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return record


NUMBERS = {
    "start_at": "start_at",
    "duration": "duration_s",
    "playtime": "playtime_s",
    "real_playtime": "real_playtime_s",
    "runtime": "runtime_s",
    "showtime": "showtime_s",
    "last_play_at": "last_position_s",
}
WITHOUT_A_NUMBER: list[object] = [
    LEFT_OUT,
    None,
    "",
    " ",
    "soon",
    "1,234",
    "1e3",
    "０１",
    "²",
    "\ud800",
    -1,
    "-1",
    -0.5,
    True,
    False,
    [],
    [13],
    {},
    {"s": 13},
    math.nan,
    math.inf,
    -math.inf,
    10**13,
    10**30,
]
NUMBERS_WRITTEN_ODDLY: list[object] = [13.0, 13.7, "13.7", "13.", " 13 "]


def test_a_documented_report_is_read_whole_and_nothing_in_it_is_odd() -> None:
    report = known(documented())
    assert kept(report) == {
        "ticket": "ticket",
        "client_user_id": "u-vera",
        "media_content_key": "hBftp9d6",
        "start_at": OPENED_AT + 5,
        "duration_s": DURATION_S,
        "playtime_s": 21,
        "real_playtime_s": 20,
        "runtime_s": 30,
        "showtime_s": 22,
        "last_position_s": 13,
        "seen": (1 << CELLS // 2) - 1,
    }
    assert report.odd == set()


@pytest.mark.parametrize(("name", "attribute"), NUMBERS.items())
def test_what_is_no_number_costs_that_number_alone(name: str, attribute: str) -> None:
    for value in WITHOUT_A_NUMBER:
        report = known(changed(("content_info", name), value))
        assert kept(report, attribute) == kept(known(documented()), attribute), value
        assert (getattr(report, attribute), report.odd) == (None, frozenset({name})), value


@pytest.mark.parametrize(("name", "attribute"), NUMBERS.items())
def test_a_number_that_is_written_oddly_is_read_and_told(name: str, attribute: str) -> None:
    for value in NUMBERS_WRITTEN_ODDLY:
        report = known(changed(("content_info", name), value))
        assert (getattr(report, attribute), report.odd) == (13, frozenset({name})), value
    for digits in ("13", "013"):
        assert known(changed(("content_info", name), digits)).odd == set()


def test_a_number_of_thousands_of_digits_costs_that_number_alone() -> None:
    told = json.dumps(documented()).replace('"last_play_at": 13', f'"last_play_at": {"9" * 5000}')
    report = read_report(told)
    assert report is not None
    assert (report.last_position_s, report.seen) == (None, known(documented()).seen)


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        (("user_info", "client_user_id"), "client_user_id"),
        (("content_info", "media_content_key"), "media_content_key"),
        (("uservalues", "uservalue0"), "ticket"),
    ],
)
def test_a_name_that_is_none_costs_that_name_alone(path: tuple[str, ...], attribute: str) -> None:
    for value in (LEFT_OUT, None, "", True, 1.5, [], {}):
        report = known(changed(path, value))
        assert kept(report, attribute) == kept(known(documented()), attribute), value


def test_a_number_in_place_of_a_name_is_that_name() -> None:
    assert known(changed(("content_info", "media_content_key"), 12345678)).media_content_key == "12345678"


PARTS = {
    "user_info": {"client_user_id"},
    "content_info": {"media_content_key", *NUMBERS.values()},
    "block_info": {"seen"},
    "uservalues": {"ticket"},
}


@pytest.mark.parametrize(("part", "attributes"), PARTS.items())
def test_a_part_that_is_no_object_costs_that_part_alone(part: str, attributes: set[str]) -> None:
    for value in (LEFT_OUT, None, "", "{", "[]", 3, [], [1], "[" * 9000, '{"a": NaN}'):
        report = known(changed((part,), value))
        assert kept(report, *attributes) == kept(known(documented()), *attributes), value
        assert {getattr(report, name) for name in attributes} == {None}, value
        assert part in report.odd, value


@pytest.mark.parametrize("path", [*((part,) for part in PARTS), ("block_info", "blocks")])
def test_a_part_may_be_the_text_of_one(path: tuple[str, ...]) -> None:
    record = documented()
    inner = reduce(lambda holder, name: holder[name], path, record)
    report = known(changed(path, json.dumps(inner)))
    assert kept(report) == kept(known(documented()))
    assert report.odd == {path[-1]}


# --- blocks


HALF = known(documented()).seen


@pytest.mark.parametrize("count", [*WITHOUT_A_NUMBER, 0, CELLS + 1])
def test_without_their_count_blocks_that_are_all_listed_are_counted(count: object) -> None:
    report = known(changed(("block_info", "block_count"), count))
    assert (report.seen, report.odd) == (HALF, frozenset({"block_count"}))


@pytest.mark.parametrize(
    "blocks",
    [
        {"b0": 1, "b1": 1},  # perhaps the seen ones alone: two of how many?
        {"b0": 1, "b2": 0},
        {"b1": 1, "b2": 0},
        {f"b{block}": int(block < 5) for block in range(CELLS + 1)},
        {},
        [],
        "all",
    ],
)
def test_without_their_count_blocks_that_may_not_be_all_say_nothing(blocks: object) -> None:
    record = changed(("block_info", "block_count"), None)
    record["block_info"]["blocks"] = blocks
    assert known(record).seen is None


@pytest.mark.parametrize(
    ("blocks", "is_odd"),
    [
        ({f"b{block}": "1" if block < 5 else "0" for block in range(10)}, False),
        ({f"b{block}": block < 5 for block in range(10)}, False),
        ({f"b{block}": 1 for block in range(5)}, False),
        ({f"b{block}": 1 if block < 5 else None for block in range(10)}, True),
        ({f"b{block}": 1 if block < 5 else "no" for block in range(10)}, True),
        ({f"b{block}": 1 if block < 5 else 2 for block in range(10)}, True),
        ({f"b{block + 1}": int(block < 5) for block in range(10)}, True),
        ({f"b{block}": int(block < 5 or block >= 10) for block in range(20)}, False),
        (
            {f"b{block}": int(block < 5) for block in range(10)} | {"b": 1, "t9": 1, "b٩": 1, "b99999": 1},
            False,
        ),
        ([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], True),
        ([1, 1, 1, 1, 1], True),
        (["1", True, 1.0, 1, 1, {}, [1], None, "", "0"], True),
    ],
    ids=repr,
)
def test_blocks_are_read_in_whatever_form_they_come(blocks: object, is_odd: bool) -> None:
    report = known(changed(("block_info", "blocks"), blocks))
    assert (report.seen, report.odd) == (HALF, frozenset({"blocks"} if is_odd else ()))


# --- what is no report


@pytest.mark.parametrize(
    "told",
    ["", "null", "3", "[]", "[" * 100_000, '{"a":' * 100_000, "{", '"\\ud800"', "{}", '{"content_info": 3}'],
    ids=lambda told: told[:20],
)
def test_what_says_nothing_is_no_report(told: str) -> None:
    assert read_report(told) is None


def test_a_report_of_names_alone_is_no_report() -> None:
    record = documented()
    del record["block_info"]
    record["content_info"] = {"media_content_key": "hBftp9d6", "start_at": OPENED_AT, "duration": 45}
    assert read(record) is None


# --- what becomes of it


def test_a_start_that_cannot_be_is_when_the_page_was_opened() -> None:
    for told in (*WITHOUT_A_NUMBER, 0, 12, OPENED_AT * 1000, OPENED_AT - DAY_S - 1, OPENED_AT + DAY_S + 1):
        watched = known(changed(("content_info", "start_at"), told)).watched(OPENED_AT, DURATION_S)
        assert watched.last_at == (OPENED_AT, 30), told
    for told in (OPENED_AT - DAY_S, str(OPENED_AT + DAY_S)):
        watched = known(changed(("content_info", "start_at"), told)).watched(OPENED_AT, DURATION_S)
        assert watched.last_at == (int(told), 30)


def test_without_a_position_the_blocks_count_and_the_known_position_stays() -> None:
    before = Watched(furthest_s=30, last_position_s=30, last_at=(OPENED_AT, 1))
    told = known(changed(("content_info", "last_play_at"), "")).watched(OPENED_AT, DURATION_S)
    after = before.merged(told)
    assert (after.percent, after.last_position_s, after.last_at) == (50, 30, (OPENED_AT, 1))


def test_without_a_runtime_the_time_of_playing_tells_which_report_is_later() -> None:
    watched = known(changed(("content_info", "runtime"), None)).watched(OPENED_AT, DURATION_S)
    assert watched.last_at == (OPENED_AT + 5, 22)


def test_a_runtime_in_milliseconds_is_the_latest_word_for_a_day_at_most() -> None:
    watched = known(changed(("content_info", "runtime"), 10**9)).watched(OPENED_AT, DURATION_S)
    assert watched.moment == OPENED_AT + 5 + DAY_S


@pytest.mark.parametrize(
    ("duration_s", "told", "position"),
    [(45, 45, 45), (45, 60, 45), (45, None, 45), (0, 60, 60), (0, None, 99), (0, 0, 99)],
)
def test_a_position_beyond_the_end_is_the_end_where_that_is_known(
    duration_s: int, told: object, position: int
) -> None:
    record = changed(("content_info", "duration"), told)
    record["content_info"]["last_play_at"] = 99
    assert known(record).watched(OPENED_AT, duration_s).last_position_s == position


@pytest.mark.parametrize("seed", range(20))
def test_odd_reports_shuffled_and_doubled_give_the_same_progress(seed: int) -> None:
    chance = random.Random(seed)
    reports = [known(record) for record in odd_records(chance, 40)]
    opened = [OPENED_AT + chance.choice([0, 600]) for _ in reports]
    told = [report.watched(at, DURATION_S) for report, at in zip(reports, opened, strict=True)]
    once = reduce(Watched.merged, told, Watched())
    again = told * 3
    chance.shuffle(again)
    assert reduce(Watched.merged, again, Watched()) == once
    assert once.seen == reduce(int.__or__, (report.seen or 0 for report in reports))


def odd_records(chance: random.Random, count: int) -> Iterator[Json]:
    """Of a viewing, each with something odd in it."""
    some: list[Callable[[], object]] = [lambda: chance.choice(WITHOUT_A_NUMBER), lambda: chance.randrange(60)]
    for _ in range(count):
        record = changed(("content_info", chance.choice(list(NUMBERS))), chance.choice(some)())
        record["block_info"]["blocks"] = {
            f"b{block}": chance.choice([0, 1, "1", None]) for block in range(10)
        }
        record["content_info"]["showtime"] = chance.randrange(60)
        yield record
