"""A study: an imported result with its kind, its conclusions in sentences, the facts behind them, and a chart."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult, StudyFact, StudySummary

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

# The bounds of what two computations of the same number differ by.
RELATIVE, ABSOLUTE = 1e-6, 1e-9


class StudyKind(StrEnum):
    """The kinds of studies, by what they answer."""

    LOAD_TEST = "load_test"
    HIGHEST_RATE = "highest_rate"
    SWEEP = "sweep"
    LEARNING_CURVE = "learning_curve"
    DECISION_MATRIX = "decision_matrix"
    EXPERIMENT = "experiment"
    DEVICE = "device"

    @property
    def words(self) -> str:
        """The name for readers."""
        return _WORDS[self]


_WORDS = {
    StudyKind.LOAD_TEST: "Load test",
    StudyKind.HIGHEST_RATE: "Highest rate",
    StudyKind.SWEEP: "Sweep",
    StudyKind.LEARNING_CURVE: "Learning curve",
    StudyKind.DECISION_MATRIX: "Decision matrix",
    StudyKind.EXPERIMENT: "A/B test",
    StudyKind.DEVICE: "Measurement on a device",
}


@dataclasses.dataclass(frozen=True)
class Study:
    """A study that was read. `draw` makes its chart from the numbers that were read, never from a picture in the file.

    `draw` needs the libraries of charts, and raises Invalid without them.
    """

    result: ImportedResult
    draw: Callable[[], "Chart"]


def study_of(
    findings: Findings,
    kind: StudyKind,
    *,
    title: str = "",
    conclusions: Iterable[str],
    facts: Mapping[str, str],
    draw: Callable[[], "Chart"],
) -> Study:
    """Return the study of what a reader found; texts of the file become printable lines."""
    lines = tuple(StudyFact(printable(label), printable(value)) for label, value in facts.items() if value)
    summary = StudySummary(
        kind=kind.value,
        title=printable(title or kind.words, 200),
        conclusions=tuple(map(printable, conclusions)),
        facts=lines,
    )
    return Study(findings.result(study=summary), draw)


def check_same(what: str, *, stated: float | str | None, computed: float | str | None, file: str) -> None:
    """Raise Invalid if a document states another conclusion than its own numbers give."""
    if isinstance(stated, float) and isinstance(computed, float):
        is_same = abs(stated - computed) <= max(ABSOLUTE, RELATIVE * abs(computed))
    else:
        is_same = stated == computed
    if not is_same:
        text = f"{file} contradicts itself: it states {what} {stated}, and its own numbers give {computed}."
        raise Invalid(text, code="contradicts_itself", field="file")
