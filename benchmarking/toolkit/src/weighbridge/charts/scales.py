"""Scales: axis limits that fit all values."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

# A scale is logarithmic if the ratio of the largest to the smallest value reaches this.
LOG_FROM = 8.0


@dataclasses.dataclass(frozen=True)
class Scale:
    """The limits of an axis, and whether it is logarithmic."""

    low: float
    high: float
    is_log: bool

    def share(self, value: float) -> float:
        """Return the position of a value on the axis, from 0 to 1."""
        low, high, at = (map(math.log, (self.low, self.high, value))) if self.is_log else (self.low, self.high, value)
        return (at - low) / (high - low)

    @property
    def form(self) -> dict[str, Any]:
        """The Vega-Lite scale."""
        kind = "log" if self.is_log else "linear"
        return {"type": kind, "domain": [self.low, self.high], "nice": False, "zero": False}


def scale_over(ends: Sequence[float]) -> Scale:
    """Return a scale that fits all values: logarithmic for a wide range, not below zero for non-negative values."""
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if low > 0 and high / low >= LOG_FROM:
        return Scale(low / (high / low) ** 0.06, high * (high / low) ** 0.06, is_log=True)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Scale(max(0.0, low - room) if low >= 0 else low - room, high + room, is_log=False)
