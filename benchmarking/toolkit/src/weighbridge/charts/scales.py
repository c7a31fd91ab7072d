"""Scales: the ends of an axis, chosen so that everything on it has room."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

# From this ratio of the largest to the smallest value on, a scale is logarithmic.
LOG_FROM = 8.0


@dataclasses.dataclass(frozen=True)
class Scale:
    """The ends of an axis, and whether it is logarithmic."""

    low: float
    high: float
    is_log: bool

    def share(self, value: float) -> float:
        """Return how far along the axis a value lies, from 0 to 1."""
        low, high, at = (map(math.log, (self.low, self.high, value))) if self.is_log else (self.low, self.high, value)
        return (at - low) / (high - low)

    @property
    def form(self) -> dict[str, Any]:
        """The same for a specification."""
        kind = "log" if self.is_log else "linear"
        return {"type": kind, "domain": [self.low, self.high], "nice": False, "zero": False}


def scale_over(ends: Sequence[float]) -> Scale:
    """Return the scale that shows every value, logarithmic where they lie far apart, above zero where they do."""
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if low > 0 and high / low >= LOG_FROM:
        return Scale(low / (high / low) ** 0.06, high * (high / low) ** 0.06, is_log=True)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Scale(max(0.0, low - room) if low >= 0 else low - room, high + room, is_log=False)
