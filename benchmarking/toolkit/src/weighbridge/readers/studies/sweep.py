"""A sweep: throughput and latency of a model by batch size, concurrency and sizes of its inputs."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.readers.fields import Fields, printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart
    from weighbridge.charts.tables import Table

POINTS_MAX, DIMS_MAX, SIZE_MAX = 64, 8, 10**9
THROUGHPUT, P99 = "throughput_samples_per_s", "latency_p99_ms"
TOO_MANY_THREADS = "environment.threads"


@dataclasses.dataclass(frozen=True)
class SweepPoint:
    """A point: `rate` is its throughput in rows per second with bounds, None if it is no evidence for a `reason`."""

    batch: int
    concurrency: int
    sizes: str
    rate: tuple[float, float, float] | None
    p99_ms: float | None
    reason: str

    @property
    def line(self) -> str:
        """What is the same along a line of the chart."""
        return ", ".join(filter(None, (f"concurrency {self.concurrency}", self.sizes)))

    @property
    def words(self) -> str:
        """The point in words, like `batch 8 x 2, seq 128`."""
        return ", ".join(filter(None, (f"batch {self.batch} x {self.concurrency}", self.sizes)))


def read_sweep(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.sweep/1`."""
    entries = document.entries("points")
    if not 1 <= len(entries) <= POINTS_MAX:
        text = f"{document.file} cannot be read: it has {len(entries)} points, and not 1 to {POINTS_MAX}."
        raise Invalid(text, field="points")
    points = tuple(_point(each, findings) for each in entries)
    measured = [each for each in points if each.rate is not None]
    if not measured:
        findings.doubt(ImportStatus.INVALID, "No point of the sweep measured the model.")
    return study_of(
        findings,
        StudyKind.SWEEP,
        conclusions=_conclusions(measured),
        details={"points": f"{len(points)}, of which {len(measured)} measured the model"},
        draw=lambda: _chart(measured, points),
    )


def _point(entry: Fields, findings: Findings) -> SweepPoint:
    batch, concurrency = (entry.whole(key, at_least=1, at_most=SIZE_MAX) for key in ("batch", "concurrency"))
    dims = entry.inside("dims")
    sizes = [f"{printable(name, 40)} {dims.whole(name, at_least=1, at_most=SIZE_MAX)}" for name in dims.names]
    if len(sizes) > DIMS_MAX:
        raise Invalid(f"{entry.file} cannot be read: a point has more than {DIMS_MAX} dimensions.", field="dims")
    reason, metrics = _reason(entry), entry.inside("metrics")
    rate = metrics.interval(THROUGHPUT) if not reason else None
    p99 = metrics.inside(P99).quantity("value") if P99 in metrics.names else None
    point = SweepPoint(batch, concurrency, ", ".join(sizes), rate, p99, reason)
    messages = [reason] if reason else [each.text("message") or "" for each in entry.entries("reasons")]
    for message in filter(None, messages):
        findings.doubt(ImportStatus.INDICATIVE, f"{point.words}: {message}")
    return point


def _reason(entry: Fields) -> str:
    """Why the point says nothing about the model; "" if it does."""
    if entry.plain("refused") is not None:
        return entry.inside("refused").text("reason") or "It could not be measured."
    reasons = entry.entries("reasons")
    voiding = [each for each in reasons if each.text("status") == "invalid" or each.text("code") == TOO_MANY_THREADS]
    if voiding:
        return voiding[0].text("message") or "It is invalid."
    if entry.text("status") not in ("valid", "indicative"):
        return f"Its verdict is {entry.text('status')}."
    return "" if THROUGHPUT in entry.inside("metrics").names else "It has no throughput."


def _conclusions(measured: Sequence[SweepPoint]) -> tuple[str, ...]:
    from weighbridge.cli.tables.terminal import number

    if not measured:
        return ()
    best = max(measured, key=lambda point: point.rate or (0.0, 0.0, 0.0))
    value, lower, upper = best.rate or (0.0, 0.0, 0.0)
    text = f"The highest throughput is {number(value)} rows per second ({number(lower)} to {number(upper)}), at "
    times = f", where 99 % of batches take at most {number(best.p99_ms)} ms" if best.p99_ms is not None else ""
    return (f"{text}{best.words}{times}.",)


def _chart(measured: Sequence[SweepPoint], points: Sequence[SweepPoint]) -> "Chart":
    from weighbridge.charts.drawing import altair, chart_from_rows, chart_of
    from weighbridge.charts.theme import INK, INK_SOFT
    from weighbridge.tradeoff.charts.strokes import dashed_lines

    rows = [
        {"line": each.line, "x": each.batch, "y": each.rate[0], "low": each.rate[1], "high": each.rate[2]}
        for each in measured
        if each.rate is not None
    ]
    names = list(dict.fromkeys(str(row["line"]) for row in rows))
    lines = dashed_lines(rows, names, key="line", title="rows in a batch", up="rows per second", is_log=True)
    layers = [
        lines,
        chart_from_rows(rows).mark_rule(color=INK_SOFT).encode(x="x:Q", y="low:Q", y2="high:Q"),
        chart_from_rows(rows).mark_point(size=40, filled=True, color=INK, opacity=1).encode(x="x:Q", y="y:Q"),
    ]
    title = "Throughput by batch size"
    alt = f"{title}, {len(rows)} points. {' '.join(_conclusions(measured))}"
    return chart_of(altair().layer(*layers), title=title, alt=alt, table=_table(title, points))


def _table(title: str, points: Sequence[SweepPoint]) -> "Table":
    from weighbridge.charts.tables import EMPTY_CELL, Table
    from weighbridge.cli.tables.terminal import number

    rows = tuple(
        (
            each.words,
            *(tuple(map(number, each.rate)) if each.rate else (EMPTY_CELL,) * 3),
            number(each.p99_ms) or EMPTY_CELL,
            each.reason,
        )
        for each in points
    )
    headings = ("point", "rows per second", "lower", "upper", "p99 of a batch, ms", "no evidence because")
    return Table(title, headings, rows, frozenset(range(1, 5)))
