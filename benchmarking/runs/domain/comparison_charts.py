"""Dot plots of compared runs: a row for each run, with its interval, on one scale for each metric."""

from collections.abc import Sequence

from benchmarking.runs.domain.comparison import MetricCell, MetricRow, ValueStanding
from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point
from weighbridge.core.metrics.standard import metric_words

CHARTS_MAX = 6
_FEWEST = 2


def comparison_charts(
    rows: Sequence[MetricRow], *, labels: Sequence[str], links: Sequence[str]
) -> tuple[PageChart, ...]:
    """Dot plots of the first metrics that two or more runs have in one unit; `labels` and `links` are of the runs."""
    charts = (_chart(row, labels, links) for row in rows)
    return tuple(chart for chart in charts if chart is not None)[:CHARTS_MAX]


def _chart(row: MetricRow, labels: Sequence[str], links: Sequence[str]) -> PageChart | None:
    shown = [
        (label, link, cell) for label, link, cell in zip(labels, links, row.cells, strict=True) if cell.metric_value
    ]
    units = {cell.metric_value.unit for _, _, cell in shown if cell.metric_value}
    if len(shown) < _FEWEST or len(units) > 1:
        return None
    title = metric_words(row.name)
    points = tuple(_point(place, *each) for place, each in enumerate(shown))
    return PageChart(
        f"compare-{row.name.replace('@', '-').replace('.', '-')}",
        title,
        _finding(row, labels),
        ChartAxis(title, units.pop()),
        ChartAxis("run", labels=tuple(label for label, _, _ in shown)),
        (ChartSeries("measured", ChartMark.DOT, points),),
    )


def _point(place: int, label: str, link: str, cell: MetricCell) -> Point:
    value = cell.metric_value
    assert value is not None  # noqa: S101 -- only cells with a value are drawn
    low, high = (None if bound is None else float(bound) for bound in (value.lower, value.upper))
    notes = [f"n {value.n:,}" if value.n else "", cell.words]
    return Point(float(value.value), place, label, low, high, note=", ".join(filter(None, notes)), href=link)


def _finding(row: MetricRow, labels: Sequence[str]) -> str:
    if row.cells[0].metric_value is None:
        return f"{labels[0]} has no value."
    said = [
        f"{label}: {cell.words}"
        for label, cell in zip(labels[1:], row.cells[1:], strict=True)
        if cell.metric_value and cell.standing is not ValueStanding.UNKNOWN
    ]
    return f"Compared with {labels[0]}, {'; '.join(said)}." if said else f"Nothing is compared with {labels[0]}."
