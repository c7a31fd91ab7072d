"""Compare runs side by side: differences, their size, and whether the intervals separate the runs.

Runs of different hours share no interleaved blocks, so a ratio here has no interval of its own. The comparison only
states whether the two intervals overlap; if they do, or if an interval is missing, neither run is called better. Nor is
it if the runs differ in what the metric depends on: data set, scenario, hardware or conditions. What is read from the
file of a model is exact and needs no interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from benchmarking.runs.domain.comparability import OF_THE_FILE, differing_aspects
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
    NOT_COMPARABLE = "not comparable"
    UNKNOWN = ""


@dataclass(frozen=True)
class ComparedRun:
    """One run: its label, its metric values by name, its conditions as text by name, and its basis (`basis_of`)."""

    label: str
    metric_values: Mapping[str, Metric]
    conditions: Mapping[str, str]
    basis: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MetricCell:
    """A value and its `ratio` and standing relative to the first run. None if the run has no such value.

    `aspects` are those in which the runs differ, if they cannot be compared.
    """

    metric_value: Metric | None
    ratio: Decimal | None
    standing: ValueStanding
    aspects: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The standing as a sentence without a subject: "better", "not comparable: other data set, other hardware"."""
        others = ", ".join(f"other {aspect}" for aspect in self.aspects)
        return f"{self.standing}: {others}" if others else str(self.standing)


@dataclass(frozen=True)
class MetricRow:
    """One metric value of all runs; the first run is the baseline."""

    name: str
    cells: tuple[MetricCell, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs that have a value differ in it; intervals that overlap are no difference."""
        values = [cell.metric_value for cell in self.cells if cell.metric_value is not None]
        return any(_are_apart(values[0], other) for other in values[1:])


@dataclass(frozen=True)
class RunConditionRow:
    """One condition of all runs, as text; "" if a run has none."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the condition is not the same for all runs that have one."""
        return len({value for value in self.values if value}) > 1


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
    """Compare `metric_value` with `first`. Better and worse need a known direction, and intervals that are apart.

    What is read from the file of the model needs no intervals.
    """
    if metric_value.unit != first.unit:
        return ValueStanding.UNKNOWN
    if metric_value.value == first.value:
        return ValueStanding.SAME
    if _overlap(metric_value, first):
        return ValueStanding.OVERLAPS
    definition = catalog.get(metric_value.name)
    if definition is None or not (metric_value.name in OF_THE_FILE or _have_intervals(metric_value, first)):
        return ValueStanding.DIFFERENT
    is_lower = metric_value.value < first.value
    return ValueStanding.BETTER if is_lower == (definition.direction is Direction.LOWER) else ValueStanding.WORSE


def _metric_value_row(name: str, subjects: Sequence[ComparedRun], catalog: MetricCatalog) -> MetricRow:
    return MetricRow(name, tuple(_cell(name, subject, subjects[0], catalog) for subject in subjects))


def _cell(name: str, subject: ComparedRun, baseline: ComparedRun, catalog: MetricCatalog) -> MetricCell:
    metric_value, first = subject.metric_values.get(name), baseline.metric_values.get(name)
    if metric_value is None or first is None:
        return MetricCell(metric_value, None, ValueStanding.UNKNOWN)
    if found := differing_aspects(name, baseline.basis, subject.basis):
        return MetricCell(metric_value, None, ValueStanding.NOT_COMPARABLE, found)
    ratio = metric_value.value / first.value if first.value and metric_value.unit == first.unit else None
    return MetricCell(metric_value, ratio, standing_of(metric_value, first, catalog=catalog))


def _are_apart(one: Metric, other: Metric) -> bool:
    return one.unit != other.unit or (one.value != other.value and not _overlap(one, other))


def _overlap(one: Metric, other: Metric) -> bool:
    if not _have_intervals(one, other):
        return False
    (one_lower, one_upper), (other_lower, other_upper) = one.bounds, other.bounds
    return one_lower <= other_upper and other_lower <= one_upper


def _have_intervals(*metric_values: Metric) -> bool:
    return all(None not in (each.lower, each.upper) for each in metric_values)


def _names(mappings: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Return each name once, in order of first appearance."""
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping))
