"""Runs side by side: what differs, how much, and whether their intervals can tell it.

Runs of different hours share no interleaved blocks, so a ratio here has no interval of its own. All that is said is
whether the two intervals overlap; where they do, neither run is called better.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.catalog import CATALOG, Direction
from weighbridge.core.errors import Invalid

RUNS_MIN, RUNS_MAX = 2, 6


class ValueStanding(StrEnum):
    """How a metric value stands to that of the first run."""

    BETTER = "better"
    WORSE = "worse"
    OVERLAPS = "intervals overlap"
    SAME = "the same"
    DIFFERENT = "different"
    UNKNOWN = ""


@dataclass(frozen=True, kw_only=True)
class RunMetricValue:
    """A metric value of one run; bounds are None where it has none."""

    value: Decimal
    unit: str
    lower: Decimal | None = None
    upper: Decimal | None = None


@dataclass(frozen=True)
class ComparedRun:
    """One run: its label, its metric values by name, and its conditions as words by name."""

    label: str
    metric_values: Mapping[str, RunMetricValue]
    conditions: Mapping[str, str]


@dataclass(frozen=True)
class MetricCell:
    """A value beside the first run's: `ratio` to it, and how it stands. None where the run has no such value."""

    metric_value: RunMetricValue | None
    ratio: Decimal | None
    standing: ValueStanding


@dataclass(frozen=True)
class MetricRow:
    """One metric value over all runs, the first being the one the others are set against."""

    name: str
    cells: tuple[MetricCell, ...]

    @property
    def differs(self) -> bool:
        """Whether any run tells itself apart from the first by it."""
        return any(cell.standing not in (ValueStanding.SAME, ValueStanding.OVERLAPS) for cell in self.cells[1:])


@dataclass(frozen=True)
class RunConditionRow:
    """One condition over all runs, as words; "" where a run has none."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs were measured under different ones."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class RunComparison:
    """Everything two to six runs have to say beside each other."""

    labels: tuple[str, ...]
    metric_values: tuple[MetricRow, ...]
    conditions: tuple[RunConditionRow, ...]


def compare(subjects: Sequence[ComparedRun]) -> RunComparison:
    """Set the runs side by side in the order given; raises Invalid for fewer than two or more than six."""
    if not RUNS_MIN <= len(subjects) <= RUNS_MAX:
        text = f"Choose {RUNS_MIN} to {RUNS_MAX} runs to compare, not {len(subjects)}."
        raise Invalid(text, code="runs_chosen", field="run")
    return RunComparison(
        labels=tuple(subject.label for subject in subjects),
        metric_values=tuple(
            _metric_value_row(name, subjects) for name in _names(each.metric_values for each in subjects)
        ),
        conditions=tuple(
            RunConditionRow(name, tuple(each.conditions.get(name, "") for each in subjects))
            for name in _names(each.conditions for each in subjects)
        ),
    )


def standing_of(name: str, metric_value: RunMetricValue, first: RunMetricValue) -> ValueStanding:
    """How `metric_value` stands to `first`: better and worse only where the direction is known and the intervals
    are apart.
    """
    if metric_value.unit != first.unit:
        return ValueStanding.UNKNOWN
    if metric_value.value == first.value:
        return ValueStanding.SAME
    if _overlap(metric_value, first):
        return ValueStanding.OVERLAPS
    kind = CATALOG.get(name)
    if kind is None:
        return ValueStanding.DIFFERENT
    is_lower = metric_value.value < first.value
    return ValueStanding.BETTER if is_lower == (kind.direction is Direction.LOWER) else ValueStanding.WORSE


def _metric_value_row(name: str, subjects: Sequence[ComparedRun]) -> MetricRow:
    first = subjects[0].metric_values.get(name)
    return MetricRow(name, tuple(_cell(name, subject.metric_values.get(name), first) for subject in subjects))


def _cell(name: str, metric_value: RunMetricValue | None, first: RunMetricValue | None) -> MetricCell:
    if metric_value is None or first is None:
        return MetricCell(metric_value, None, ValueStanding.UNKNOWN)
    ratio = metric_value.value / first.value if first.value and metric_value.unit == first.unit else None
    return MetricCell(metric_value, ratio, standing_of(name, metric_value, first))


def _overlap(one: RunMetricValue, other: RunMetricValue) -> bool:
    bounds = (one.lower, one.upper, other.lower, other.upper)
    if None in bounds:
        return False
    one_lower, one_upper, other_lower, other_upper = (bound for bound in bounds if bound is not None)
    return one_lower <= other_upper and other_lower <= one_upper


def _names(mappings: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Every name once, in the order in which it is first met."""
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping))
