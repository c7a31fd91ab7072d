"""Requirements: limits for a model, and the quality margin that does not decide a choice."""

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.axes import Axis, AxisDirection, is_share
from weighbridge.tradeoff.candidates import Candidate, Estimate
from weighbridge.tradeoff.charts.words import name_of, shown_unit

LIMIT = re.compile(r"^(?P<metric>[a-z][a-z0-9_.:@]*)(?P<sense><=|>=)(?P<bound>-?[0-9.]+(?:e-?[0-9]+)?)$")
UNITS = {"_ms": "ms", "_mb": "MB", "_usd": "USD", "_per_s": "1/s"}


class LimitReading(StrEnum):
    """Which number of an estimate a limit uses: its value, its worse bound, or its better bound."""

    VALUE = "value"
    WORST = "worst"
    BEST = "best"


@dataclasses.dataclass(frozen=True)
class Requirement:
    """The largest (`Direction.MIN`: lower is better) or least acceptable value of a metric."""

    metric: str
    bound: float
    direction: AxisDirection

    def holds(self, estimate: Estimate | None, reading: LimitReading = LimitReading.VALUE) -> bool:
        """Return whether the estimate meets the limit in that reading; False for a missing estimate."""
        if estimate is None:
            return False
        lower, upper = estimate.ends
        worst, best = (upper, lower) if self.direction is AxisDirection.MIN else (lower, upper)
        seen = {LimitReading.VALUE: estimate.value, LimitReading.WORST: worst, LimitReading.BEST: best}[reading]
        return seen <= self.bound if self.direction is AxisDirection.MIN else seen >= self.bound

    def is_unsure(self, estimate: Estimate | None) -> bool:
        """Return whether a part of the interval meets the limit, and another part does not."""
        return self.holds(estimate, LimitReading.BEST) and not self.holds(estimate, LimitReading.WORST)

    def words(self) -> str:
        """Return `p95 latency at most 5 ms`."""
        sense = "at most" if self.direction is AxisDirection.MIN else "at least"
        return f"{name_of(self.metric)} {sense} {self.bound:g} {unit_of(self.metric)}".rstrip()


@dataclasses.dataclass(frozen=True)
class Requirements:
    """Limits, the quality metric, and the `margin` of quality that a cheaper model may lose, in its unit.

    `direction` is the better one of the quality metric.
    """

    limits: tuple[Requirement, ...] = ()
    quality: str = "accuracy"
    margin: float = 0.01
    direction: AxisDirection = AxisDirection.MAX

    def __post_init__(self) -> None:
        """Refuse two limits for one metric, and an invalid margin."""
        metrics = [limit.metric for limit in self.limits]
        if len(set(metrics)) < len(metrics):
            raise Invalid("Give each metric only one limit.", code="limits", field="limit")
        if self.is_share and not 0 <= self.margin < 1:
            text = "The margin must be a share between 0 and 1: 0.01 is one point."
            raise Invalid(text, code="margin", field="margin")
        if not (self.margin >= 0 and math.isfinite(self.margin)):
            text = f"The margin must be a number of zero or more, in the unit of {name_of(self.quality)}."
            raise Invalid(text, code="margin", field="margin")

    @property
    def axis(self) -> Axis:
        """The quality metric with its better direction."""
        return Axis(self.quality, self.direction)

    @property
    def is_share(self) -> bool:
        """Whether quality is a share, which is told in points."""
        return is_share(self.quality)

    def unmet(self, candidate: Candidate, reading: LimitReading = LimitReading.VALUE) -> Iterator[Requirement]:
        """Yield the limits that a candidate does not meet in that reading."""
        return (limit for limit in self.limits if not limit.holds(candidate.metrics.get(limit.metric), reading))

    def without(self, metric: str) -> tuple[Requirement, ...]:
        """Return the limits for all other metrics."""
        return tuple(limit for limit in self.limits if limit.metric != metric)


def limits_of(texts: Sequence[str]) -> tuple[Requirement, ...]:
    """Read `peak_memory_mb<=200` or `f1_macro>=0.85`; raise Invalid for other text."""
    return tuple(_limit(text) for text in texts)


def unit_of(metric: str) -> str:
    """Return the unit at the end of a metric's name; empty if there is none."""
    return next((shown_unit(unit) for ending, unit in UNITS.items() if metric.endswith(ending)), "")


def _limit(text: str) -> Requirement:
    found = LIMIT.match(text.replace(" ", ""))
    try:
        bound = float(found["bound"]) if found else None
    except ValueError:
        bound = None
    if found is None or bound is None:
        raise Invalid(f"{text!r} is not a limit; write metric<=number or metric>=number.", code="limits", field="limit")
    if bound <= 0 and unit_of(found["metric"]):
        text = f"A limit for {name_of(found['metric'])} must be above 0 {unit_of(found['metric'])}, not {bound:g}."
        raise Invalid(text, code="limits", field="limit")
    return Requirement(found["metric"], bound, AxisDirection.MIN if found["sense"] == "<=" else AxisDirection.MAX)
