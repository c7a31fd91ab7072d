"""Compare runs side by side: differences, their size, and whether the intervals separate the runs.

Runs of different hours share no interleaved blocks, so a ratio here has no interval of its own. The comparison only
states whether the two intervals overlap; if they do, neither run is called better.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from benchmarking.runs.domain.metrics import Metric
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.catalog import Direction, MetricCatalog

RUNS_MIN, RUNS_MAX = 2, 6


class ValueStanding(StrEnum):
    """How a metric value compares with that of the first run."""

    BETTER = "better"
    WORSE = "worse"
    OVERLAPS = "intervals overlap"
    SAME = "the same"
    DIFFERENT = "different"
    UNKNOWN = ""


@dataclass(frozen=True)
class ComparedRun:
    """One run: its label, its metric values by name, and its conditions as text by name."""

    label: str
    metric_values: Mapping[str, Metric]
    conditions: Mapping[str, str]


@dataclass(frozen=True)
class MetricCell:
    """A value and its `ratio` and standing relative to the first run. None if the run has no such value."""

    metric_value: Metric | None
    ratio: Decimal | None
    standing: ValueStanding


@dataclass(frozen=True)
class MetricRow:
    """One metric value of all runs; the first run is the baseline."""

    name: str
    cells: tuple[MetricCell, ...]

    @property
    def differs(self) -> bool:
        """Whether any run differs from the first in this metric value."""
        return any(cell.standing not in (ValueStanding.SAME, ValueStanding.OVERLAPS) for cell in self.cells[1:])


@dataclass(frozen=True)
class RunConditionRow:
    """One condition of all runs, as text; "" if a run has none."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the condition is not the same for all runs."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class RunComparison:
    """The comparison of two to six runs."""

    labels: tuple[str, ...]
    metric_values: tuple[MetricRow, ...]
    conditions: tuple[RunConditionRow, ...]


def compare(subjects: Sequence[ComparedRun], *, catalog: MetricCatalog) -> RunComparison:
    """Compare the runs in the given order; raises Invalid for fewer than two or more than six."""
    if not RUNS_MIN <= len(subjects) <= RUNS_MAX:
        text = f"Select {RUNS_MIN} to {RUNS_MAX} runs to compare; {len(subjects)} are selected."
        raise Invalid(text, code="runs_chosen", field="run")
    return RunComparison(
        labels=tuple(subject.label for subject in subjects),
        metric_values=tuple(
            _metric_value_row(name, subjects, catalog) for name in _names(subject.metric_values for subject in subjects)
        ),
        conditions=tuple(
            RunConditionRow(name, tuple(subject.conditions.get(name, "") for subject in subjects))
            for name in _names(subject.conditions for subject in subjects)
        ),
    )


def standing_of(metric_value: Metric, first: Metric, *, catalog: MetricCatalog) -> ValueStanding:
    """Compare `metric_value` with `first`. Better and worse need a known direction and separate intervals."""
    if metric_value.unit != first.unit:
        return ValueStanding.UNKNOWN
    if metric_value.value == first.value:
        return ValueStanding.SAME
    if _overlap(metric_value, first):
        return ValueStanding.OVERLAPS
    definition = catalog.get(metric_value.name)
    if definition is None:
        return ValueStanding.DIFFERENT
    is_lower = metric_value.value < first.value
    return ValueStanding.BETTER if is_lower == (definition.direction is Direction.LOWER) else ValueStanding.WORSE


def _metric_value_row(name: str, subjects: Sequence[ComparedRun], catalog: MetricCatalog) -> MetricRow:
    first = subjects[0].metric_values.get(name)
    cells = (_cell(subject.metric_values.get(name), first, catalog) for subject in subjects)
    return MetricRow(name, tuple(cells))


def _cell(metric_value: Metric | None, first: Metric | None, catalog: MetricCatalog) -> MetricCell:
    if metric_value is None or first is None:
        return MetricCell(metric_value, None, ValueStanding.UNKNOWN)
    ratio = metric_value.value / first.value if first.value and metric_value.unit == first.unit else None
    return MetricCell(metric_value, ratio, standing_of(metric_value, first, catalog=catalog))


def _overlap(one: Metric, other: Metric) -> bool:
    if None in (one.lower, one.upper, other.lower, other.upper):
        return False
    (one_lower, one_upper), (other_lower, other_upper) = one.bounds, other.bounds
    return one_lower <= other_upper and other_lower <= one_upper


def _names(mappings: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Return each name once, in order of first appearance."""
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping))
