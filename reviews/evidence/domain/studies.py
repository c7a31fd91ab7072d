"""Studies that a person attaches to a request: what is kept of them, with the chart that is drawn when they arrive."""

from dataclasses import dataclass

from weighbridge.charts.drawing import Chart, svg
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.readers.imported_result import StudyDetail
from weighbridge.readers.studies.study import Study
from weighbridge.readers.study_kinds import StudyKind

STUDIES_MAX = 20
"""Studies of one request. A packet prints all of them."""
SVG_CHARS_MAX = 400_000


@dataclass(frozen=True)
class StudyTable:
    """The chart as a table; `figures` are the columns of numbers."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class StudyChart:
    """A chart with its text alternative."""

    title: str
    alt: str
    svg: str
    table: StudyTable


@dataclass(frozen=True, kw_only=True)
class FiledStudy:
    """What a study says: its conclusions in sentences, the details behind them, and its chart."""

    kind: StudyKind
    title: str
    conclusions: tuple[str, ...]
    details: tuple[StudyDetail, ...]
    chart: StudyChart


def filed_study(study: Study) -> FiledStudy:
    """The study with its chart, drawn from the numbers that were read. Raises Invalid if it cannot be shown."""
    summary = study.summary
    model = "this one, by its digest" if study.result.model.digest else "the file does not say which"
    return FiledStudy(
        kind=StudyKind(summary.kind),
        title=summary.title,
        conclusions=summary.conclusions,
        details=(StudyDetail("model", model), *summary.details),
        chart=_drawn(study.draw()),
    )


def _drawn(chart: Chart) -> StudyChart:
    drawn = svg(chart)
    if len(drawn) > SVG_CHARS_MAX:
        raise Invalid("The chart of this study is too large to be shown; attach a smaller study.", field="file")
    table = chart.table
    kept = StudyTable(table.caption, table.headings, table.rows, tuple(sorted(table.figures)))
    return StudyChart(title=chart.title, alt=chart.alt, svg=drawn, table=kept)


def study_document(study: FiledStudy | None) -> object:
    """The study as JSON; None for none."""
    return None if study is None else to_document(study)
