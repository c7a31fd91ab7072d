"""How often a row of the recording is copied, and which copies there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from weighbridge.core.errors import Invalid

YEARS = 10
BLOCKS_OF_A_DIVISION = 80
DIVISIONS_MAX = 200
CURRENT_SHARE = 4
"""One block of so many is of the current year; the others are spread over the years before."""
BLOCKS_MIN = 14
"""So many leave at least one block for each year."""
DAYS_APART = 27


class Level(IntEnum):
    """The levels, outermost first. A row is copied once for each copy of its level."""

    ONCE = 0
    DIVISION = 1
    YEAR = 2
    BRANCH = 3
    """A division in a year."""
    BLOCK = 4
    """A set of requests of a division in a year."""


@dataclass(frozen=True)
class Block:
    """One copy of the requests. `years` and `days` say by how much it is earlier; `order` counts those of its year."""

    number: int
    division: int
    years: int
    days: int
    order: int

    def copy_of(self, level: Level) -> int:
        """The number of the copy of a level that the block belongs to; 0 is the first."""
        match level:
            case Level.ONCE:
                return 0
            case Level.DIVISION:
                return self.division
            case Level.YEAR:
                return self.years
            case Level.BRANCH:
                return self.division * (YEARS + 1) + self.years
            case Level.BLOCK:
                return self.number


@dataclass(frozen=True)
class HistoryPlan:
    """All blocks, the earliest year first."""

    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, *, requests: int, per_block: int) -> "HistoryPlan":
        """Enough blocks for that many requests; raise Invalid for fewer than one block of each year."""
        count = -(-requests // per_block)
        if count < BLOCKS_MIN:
            raise Invalid(f"Ask for {BLOCKS_MIN * per_block} requests or more: each year has at least {per_block}.")
        divisions = min(DIVISIONS_MAX, max(1, count // BLOCKS_OF_A_DIVISION))
        return cls(tuple(_blocks(count, divisions)))

    def years(self) -> Iterator[list[Block]]:
        """The blocks of each year, the earliest first."""
        for _, blocks in groupby(self.blocks, key=lambda block: block.years):
            yield list(blocks)

    def first_of(self, level: Level) -> dict[int, Block]:
        """The first block of each copy of a level: it gives the values of rows of that level."""
        found: dict[int, Block] = {}
        for block in self.blocks:
            found.setdefault(block.copy_of(level), block)
        return found


def _blocks(count: int, divisions: int) -> Iterator[Block]:
    current = max(1, count // CURRENT_SHARE)
    earlier = count - current
    sizes = [(years, earlier // YEARS + (years <= earlier % YEARS)) for years in range(YEARS, 0, -1)] + [(0, current)]
    number = 0
    for years, size in sizes:
        for order in range(size):
            days = order % DAYS_APART
            yield Block(number, order % divisions, years, -(days + 2) if years else -days, order)
            number += 1
