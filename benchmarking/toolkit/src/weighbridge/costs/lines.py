"""Cost lines: an amount with its formula and inputs, so that every metric can be traced."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

# A number or an array of draws; the calculators accept both.
Number = Any


@dataclasses.dataclass(frozen=True)
class CostLine:
    """One amount, `usd`; `formula` refers to the names in `terms`, which include units."""

    name: str
    usd: Number
    formula: str
    terms: Mapping[str, Number]


@dataclasses.dataclass(frozen=True)
class Costing:
    """The costs of something: lines in US dollars, and other quantities (GPU hours, replicas)."""

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
    """Return a share of an amount that may be infinite; a share of zero is 0."""
    return np.zeros_like(amount) if isinstance(share, int | float) and share == 0 else amount * share
