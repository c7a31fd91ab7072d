"""The KPI scorecard: each model's business KPI, the technical metric behind it, target, actual, trend and supplier."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

STEADY_SHARE = Decimal("0.02")
"""A change of at most this share of the previous actual is steady, because it is within normal fluctuation."""


class KpiDirection(StrEnum):
    """The desired direction of a KPI."""

    HIGHER = "higher"
    LOWER = "lower"


class KpiStatus(StrEnum):
    """An actual compared with its target."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"


class KpiTrend(StrEnum):
    """An actual compared with that of the previous quarter."""

    BETTER = "better"
    STEADY = "steady"
    WORSE = "worse"
    FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiScore:
    """One line of the scorecard; values in `unit`, None if not supplied."""

    model: str
    kpi: str
    metric: str
    unit: str
    better: KpiDirection
    target: Decimal
    actual: Decimal | None = None
    before: Decimal | None = None
    supplied_by: str = ""
    channel: str = ""

    @property
    def status(self) -> KpiStatus:
        """Met: at least the target if higher is better, at most the target if lower is better."""
        if self.actual is None:
            return KpiStatus.UNKNOWN
        is_met = self.actual >= self.target if self.better is KpiDirection.HIGHER else self.actual <= self.target
        return KpiStatus.MET if is_met else KpiStatus.MISSED

    @property
    def gap(self) -> Decimal | None:
        """(actual - target) / |target|, as a share of 1, signed so that above zero is better; None without both."""
        if self.actual is None or self.target == 0:
            return None
        share = (self.actual - self.target) / abs(self.target)
        return share if self.better is KpiDirection.HIGHER else -share

    @property
    def change(self) -> Decimal | None:
        """(actual - before) / |before|, as a share of 1 with the sign of the values; None without both."""
        if self.actual is None or self.before is None or self.before == 0:
            return None
        return (self.actual - self.before) / abs(self.before)

    @property
    def trend(self) -> KpiTrend:
        """Compared with the previous quarter; steady within `STEADY_SHARE`."""
        if self.actual is None or self.before is None:
            return KpiTrend.FIRST
        moved = self.actual - self.before
        if abs(moved) <= STEADY_SHARE * abs(self.before):
            return KpiTrend.STEADY
        return KpiTrend.BETTER if (moved > 0) == (self.better is KpiDirection.HIGHER) else KpiTrend.WORSE


@dataclass(frozen=True, slots=True)
class Totals:
    """How many lines of a scorecard met their target, missed it, or have no actual."""

    met: int
    missed: int
    unknown: int

    @property
    def count(self) -> int:
        """How many lines there are."""
        return self.met + self.missed + self.unknown


def totals(scores: tuple[KpiScore, ...]) -> Totals:
    """The counts by status."""
    statuses = [score.status for score in scores]
    return Totals(*(statuses.count(status) for status in (KpiStatus.MET, KpiStatus.MISSED, KpiStatus.UNKNOWN)))
