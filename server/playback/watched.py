"""What of a video has been watched, as a value that only grows.

Reports come doubled, reordered and late. Merging is commutative, associative and idempotent (bits are
joined, the greater of two numbers wins), so the result is the same whatever came when.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

CELLS = 1000  # one lecture is cut into so many equal pieces, whatever its length
COMPLETE_PERCENT = 90


@dataclass(frozen=True, slots=True)
class Watched:
    """`seen`: bit i stands for cell i. Positions in seconds.

    `last_at`: (start of the viewing in unix seconds, seconds since then) of the report that the last
    position came from. It is the player's clock, so a report that arrives late does not move it back; and the
    two together, so the player that stopped last has the word, not the one that was opened last.
    """

    seen: int = 0
    furthest_s: int = 0
    last_position_s: int = 0
    last_at: tuple[int, int] = (0, 0)

    def merged(self, other: "Watched") -> "Watched":
        latest = max(self, other, key=lambda one: (one.moment, one.last_at, one.last_position_s))
        return Watched(
            seen=self.seen | other.seen,
            furthest_s=max(self.furthest_s, other.furthest_s),
            last_position_s=latest.last_position_s,
            last_at=latest.last_at,
        )

    @property
    def moment(self) -> int:
        """When it was watched last, in unix seconds by the player's clock; 0: nobody said."""
        return sum(self.last_at)

    @property
    def percent(self) -> int:
        return self.seen.bit_count() * 100 // CELLS

    @property
    def is_complete(self) -> bool:
        return self.percent >= COMPLETE_PERCENT

    def ranges(self) -> list[tuple[float, float]]:
        """The seen stretches, each (from, to) in percent of the video."""
        cells = f"{self.seen:0{CELLS}b}"[::-1]
        return [(run.start() * 100 / CELLS, run.end() * 100 / CELLS) for run in re.finditer("1+", cells)]

    def seen_text(self) -> str:
        """As it is stored: CELLS bits in hexadecimal."""
        return f"{self.seen:0{CELLS // 4}x}"


def seen_from_text(stored: str) -> int:
    return int(stored, 16)


def seen_from_blocks(flags: Iterator[bool], block_count: int) -> int:
    """Cells of the blocks that are flagged, where the video is cut into `block_count` (1 to CELLS) blocks."""
    seen = 0
    for block, is_seen in zip(range(block_count), flags, strict=True):
        if is_seen:
            first, end = block * CELLS // block_count, (block + 1) * CELLS // block_count
            seen |= ((1 << (end - first)) - 1) << first
    return seen


def resume_at(watched: Watched, duration_s: int) -> int:
    """Where to start: the last position, or the beginning for who was in the last 5 s or 2 % of it."""
    is_over = duration_s > 0 and watched.last_position_s >= duration_s - max(5, duration_s // 50)
    return 0 if is_over else watched.last_position_s
