"""A study: an imported result with its kind, its conclusions in sentences, the details behind them, and a chart."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportedResult, StudyDetail, StudySummary
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

# The bounds of what two computations of the same number differ by.
RELATIVE, ABSOLUTE = 1e-6, 1e-9


@dataclasses.dataclass(frozen=True)
class Study:
    """A study that was read. `draw` makes its chart from the numbers that were read, never from a picture in the file.

    `summary` is that of the result. `draw` needs the libraries of charts, and raises Invalid without them.
    """

    result: ImportedResult
    summary: StudySummary
    draw: Callable[[], "Chart"]


def study_of(
    findings: Findings,
    kind: StudyKind,
    *,
    title: str = "",
    conclusions: Iterable[str],
    details: Mapping[str, str],
    draw: Callable[[], "Chart"],
) -> Study:
    """Return the study of what a reader found; texts of the file become printable lines."""
    lines = tuple(StudyDetail(printable(label), printable(value)) for label, value in details.items() if value)
    summary = StudySummary(
        kind=kind.value,
        title=printable(title or kind.words, 200),
        conclusions=tuple(map(printable, conclusions)),
        details=lines,
    )
    return Study(findings.result(study=summary), summary, draw)


def check_same(what: str, *, stated: float | str | None, computed: float | str | None, file: str) -> None:
    """Raise Invalid if a document states another conclusion than its own numbers give."""
    if isinstance(stated, float) and isinstance(computed, float):
        is_same = abs(stated - computed) <= max(ABSOLUTE, RELATIVE * abs(computed))
    else:
        is_same = stated == computed
    if not is_same:
        text = f"{file} contradicts itself: it states {what} {stated}, and its own numbers give {computed}."
        raise Invalid(text, code="contradicts_itself", field="file")
