"""The cost bands of a projection: the first year of each option, P50 with P10 to P90, on one scale from zero."""

from collections.abc import Iterator

from benchmarking.projections.domain.projection_table import DECIDING, LABELS, ProjectionTable
from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point
from weighbridge.core.metrics.units import share_text
from weighbridge.core.metrics.values import MetricValue

_FEWEST = 2


def cost_chart(table: ProjectionTable) -> PageChart | None:
    """The bands of the options whose load can be served; None for fewer than two, which need no comparison."""
    known = list(_known(table))
    if len(known) < _FEWEST:
        return None
    points = tuple(
        Point(
            float(metric.value),
            place,
            title,
            None if metric.lower is None else float(metric.lower),
            None if metric.upper is None else float(metric.upper),
            note=f"Cheapest in {share_text(share)} of the draws",
        )
        for place, (title, share, metric) in enumerate(known)
    )
    best, share, _ = max(known, key=lambda each: each[1])
    return PageChart(
        "cost-bands",
        "Cost of the first year",
        f"{best} is the cheapest in {share_text(share)} of the draws. "
        "A dot is the median, a line runs from P10 to P90.",
        ChartAxis(LABELS[DECIDING].lower(), "USD"),
        ChartAxis("option", labels=tuple(title for title, *_ in known)),
        (ChartSeries("median", ChartMark.DOT, points),),
    )


def _known(table: ProjectionTable) -> Iterator[tuple[str, float, MetricValue]]:
    """The options with a total: their title, the share of draws in which they are the cheapest, and the total."""
    for row in table.rows:
        if row.name == DECIDING:
            for option, cell in zip(table.options, row.cells, strict=True):
                if cell.metric is not None:
                    yield option.title, option.cheapest_probability, cell.metric
