"""Promise 7: progress never goes backwards and never gets lost, whatever order reports come in."""

import random
from functools import reduce

import pytest

from server.playback.watched import (
    CELLS,
    Watched,
    resume_at,
    seen_from_blocks,
    seen_from_text,
)

SEEDS = range(20)


def some_report(chance: random.Random) -> Watched:
    """As a player would: its own block count, a viewing among a few, positions anywhere."""
    block_count = chance.choice([1, 7, 10, 50, 333, 1000])
    flags = (chance.random() < 0.3 for _ in range(block_count))
    position = chance.randrange(600)
    return Watched(
        seen=seen_from_blocks(flags, block_count),
        furthest_s=position,
        last_position_s=position,
        last_at=(chance.randrange(1000, 1004), chance.randrange(5)),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_and_doubled_reports_give_the_same_progress(seed: int) -> None:
    chance = random.Random(seed)
    reports = [some_report(chance) for _ in range(12)]
    once = reduce(Watched.merged, reports, Watched())
    again = reports * 3
    chance.shuffle(again)
    assert reduce(Watched.merged, again, Watched()) == once


@pytest.mark.parametrize("seed", SEEDS)
def test_a_report_never_takes_anything_away(seed: int) -> None:
    chance = random.Random(seed)
    known = Watched()
    for report in (some_report(chance) for _ in range(30)):
        grown = known.merged(report)
        assert grown.seen & known.seen == known.seen
        assert grown.percent >= known.percent
        assert grown.furthest_s >= known.furthest_s
        assert grown.moment >= known.moment
        known = grown


@pytest.mark.parametrize("seed", SEEDS)
def test_merging_in_two_halves_is_merging_at_once(seed: int) -> None:
    chance = random.Random(seed)
    reports = [some_report(chance) for _ in range(10)]
    halves = [reduce(Watched.merged, half, Watched()) for half in (reports[:5], reports[5:])]
    assert halves[0].merged(halves[1]) == reduce(Watched.merged, reports, Watched())


def test_what_was_watched_last_has_the_last_word_not_what_was_opened_last() -> None:
    opened_first = Watched(last_position_s=300, last_at=(1000, 600))
    opened_later_for_a_moment = Watched(last_position_s=10, last_at=(1100, 5))
    assert opened_first.merged(opened_later_for_a_moment).last_position_s == 300


def test_a_late_report_does_not_move_the_resume_point_back() -> None:
    evening = Watched(last_position_s=300, last_at=(2000, 60))
    morning_an_hour_late = Watched(last_position_s=40, last_at=(1000, 90))
    assert evening.merged(morning_an_hour_late).last_position_s == 300


@pytest.mark.parametrize("block_count", [1, 3, 7, 50, 333, 999, 1000])
def test_all_blocks_are_the_whole_video_and_none_overlap(block_count: int) -> None:
    blocks = [
        seen_from_blocks((other == block for other in range(block_count)), block_count)
        for block in range(block_count)
    ]
    assert sum(one.bit_count() for one in blocks) == CELLS
    assert reduce(int.__or__, blocks) == (1 << CELLS) - 1


def test_half_of_ten_blocks_is_half_of_the_video() -> None:
    watched = Watched(seen=seen_from_blocks((block < 5 for block in range(10)), 10))
    assert (watched.percent, watched.ranges()) == (50, [(0, 50)])


def test_nine_tenths_are_complete_and_a_hair_less_is_not() -> None:
    assert Watched(seen=(1 << 900) - 1).is_complete
    assert not Watched(seen=(1 << 899) - 1).is_complete


def test_what_is_stored_reads_back() -> None:
    seen = random.Random(1).getrandbits(CELLS)
    stored = Watched(seen=seen).seen_text()
    assert len(stored) == 250
    assert seen_from_text(stored) == seen


@pytest.mark.parametrize(
    ("position", "duration", "start"),
    [(0, 45, 0), (20, 45, 20), (39, 45, 39), (40, 45, 0), (45, 45, 0), (3527, 3600, 3527), (3528, 3600, 0)],
)
def test_watching_goes_on_where_it_stopped_unless_it_was_the_end(
    position: int, duration: int, start: int
) -> None:
    assert resume_at(Watched(last_position_s=position), duration) == start
