"""Runs side by side: what differs, how much, and whether their intervals can tell it.

Runs of different hours share no interleaved blocks, so a ratio here has no interval of its own. All that is said is
whether the two intervals overlap; where they do, neither run is called better.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics import CATALOG, Direction

RUNS_MIN, RUNS_MAX = 2, 6


class Standing(StrEnum):
    """How a figure stands to that of the first run."""

    BETTER = "better"
    WORSE = "worse"
    OVERLAPS = "intervals overlap"
    SAME = "the same"
    DIFFERENT = "different"
    UNKNOWN = ""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure of one run; bounds are None where it has none."""

    value: Decimal
    unit: str
    lower: Decimal | None = None
    upper: Decimal | None = None


@dataclass(frozen=True)
class Subject:
    """One run: its label, its figures by name, and its conditions as words by name."""

    label: str
    figures: Mapping[str, Measured]
    conditions: Mapping[str, str]


@dataclass(frozen=True)
class FigureCell:
    """A figure beside the first run's: `ratio` to it, and how it stands. None where the run has no such figure."""

    figure: Measured | None
    ratio: Decimal | None
    standing: Standing


@dataclass(frozen=True)
class FigureRow:
    """One figure over all runs, the first being the one the others are set against."""

    name: str
    cells: tuple[FigureCell, ...]

    @property
    def differs(self) -> bool:
        """Whether any run tells itself apart from the first by it."""
        return any(cell.standing not in (Standing.SAME, Standing.OVERLAPS) for cell in self.cells[1:])


@dataclass(frozen=True)
class ConditionRow:
    """One condition over all runs, as words; "" where a run has none."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs were measured under different ones."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class Comparison:
    """Everything two to six runs have to say beside each other."""

    labels: tuple[str, ...]
    figures: tuple[FigureRow, ...]
    conditions: tuple[ConditionRow, ...]


def compare(subjects: Sequence[Subject]) -> Comparison:
    """Set the runs side by side in the order given; raises Invalid for fewer than two or more than six."""
    if not RUNS_MIN <= len(subjects) <= RUNS_MAX:
        text = f"Choose {RUNS_MIN} to {RUNS_MAX} runs to compare, not {len(subjects)}."
        raise Invalid(text, code="runs_chosen", field="run")
    return Comparison(
        labels=tuple(subject.label for subject in subjects),
        figures=tuple(_figure_row(name, subjects) for name in _names(each.figures for each in subjects)),
        conditions=tuple(
            ConditionRow(name, tuple(each.conditions.get(name, "") for each in subjects))
            for name in _names(each.conditions for each in subjects)
        ),
    )


def standing_of(name: str, figure: Measured, first: Measured) -> Standing:
    """How `figure` stands to `first`: better and worse only where the direction is known and the intervals
    are apart.
    """
    if figure.unit != first.unit:
        return Standing.UNKNOWN
    if figure.value == first.value:
        return Standing.SAME
    if _overlap(figure, first):
        return Standing.OVERLAPS
    kind = CATALOG.get(name)
    if kind is None:
        return Standing.DIFFERENT
    is_lower = figure.value < first.value
    return Standing.BETTER if is_lower == (kind.direction is Direction.LOWER) else Standing.WORSE


def _figure_row(name: str, subjects: Sequence[Subject]) -> FigureRow:
    first = subjects[0].figures.get(name)
    return FigureRow(name, tuple(_cell(name, subject.figures.get(name), first) for subject in subjects))


def _cell(name: str, figure: Measured | None, first: Measured | None) -> FigureCell:
    if figure is None or first is None:
        return FigureCell(figure, None, Standing.UNKNOWN)
    ratio = figure.value / first.value if first.value and figure.unit == first.unit else None
    return FigureCell(figure, ratio, standing_of(name, figure, first))


def _overlap(one: Measured, other: Measured) -> bool:
    bounds = (one.lower, one.upper, other.lower, other.upper)
    if None in bounds:
        return False
    one_lower, one_upper, other_lower, other_upper = (bound for bound in bounds if bound is not None)
    return one_lower <= other_upper and other_lower <= one_upper


def _names(mappings: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Every name once, in the order in which it is first met."""
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping))
