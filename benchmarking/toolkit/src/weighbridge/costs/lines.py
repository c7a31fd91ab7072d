"""Lines: an amount of money with the formula and the inputs that made it, so that every metric can be opened."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

# A number, or an array of draws: the calculators treat both alike.
Number = Any


@dataclasses.dataclass(frozen=True)
class CostLine:
    """`usd` of one kind; `formula` in the words of `terms`, whose names carry their units."""

    name: str
    usd: Number
    formula: str
    terms: Mapping[str, Number]


@dataclasses.dataclass(frozen=True)
class Costing:
    """What something costs: its lines, and quantities that are no money (GPU hours, replicas)."""

    lines: tuple[CostLine, ...]
    quantities: Mapping[str, Number] = dataclasses.field(default_factory=dict)

    @property
    def total_usd(self) -> Number:
        """Return the sum of all lines."""
        return sum((line.usd for line in self.lines), 0.0)

    @property
    def usd(self) -> dict[str, Number]:
        """Return the amounts by the names of their lines."""
        return {line.name: line.usd for line in self.lines}


def part(amount: Number, share: Number) -> Number:
    """Return a share of an amount that may have no end; no share of that is nothing."""
    return np.zeros_like(amount) if isinstance(share, int | float) and share == 0 else amount * share
