"""The portfolio as a chart of the page: cost of one year against p95 latency, with the limits of the policies."""

from collections.abc import Iterator, Sequence

from django.urls import reverse

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from governance.site.web.formatting import format_quantity
from reviews.quarterly.domain.packet import frontier
from reviews.quarterly.domain.printed.charts import KINDS, OVER, limits_of, portfolio_kind
from reviews.quarterly.queries.portfolio import PortfolioRow

NO_LIMIT = "No policy limits the cost or the latency of these models."


def portfolio_chart(rows: Sequence[PortfolioRow]) -> PageChart | None:
    """The models with a cost and a latency, by kind; None without one. A dot leads to the request."""
    best = frontier([row.point for row in rows])
    shown = [row for row in rows if row.cost_usd is not None and row.latency_ms is not None]
    if not shown:
        return None
    kinds = {row.ref: portfolio_kind(row.point, best) for row in shown}
    series = (
        ChartSeries(kind, ChartMark.DOT, tuple(_point(row) for row in shown if kinds[row.ref] == kind), has_labels=True)
        for kind in KINDS
    )
    costs, latencies = limits_of(row.cost_limit_usd for row in shown), limits_of(row.latency_limit_ms for row in shown)
    return PageChart(
        "portfolio-chart",
        "Cost of one year against p95 latency",
        _finding(shown, has_limits=bool(costs or latencies)),
        ChartAxis("cost of one year", "USD"),
        ChartAxis("p95 latency", "ms"),
        tuple(each for each in series if each.points),
        references=tuple(ReferenceLine("limit", float(each)) for each in latencies),
        across=tuple(ReferenceLine("limit", float(each)) for each in costs),
    )


def _point(row: PortfolioRow) -> Point:
    note = ". ".join((f"{row.ref}, {row.state}", *_over(row)))
    assert row.cost_usd is not None and row.latency_ms is not None  # noqa: S101, PT018 -- only such rows are shown
    return Point(
        float(row.cost_usd), float(row.latency_ms), row.name, note=note, href=reverse("reviews:detail", args=[row.ref])
    )


def _over(row: PortfolioRow) -> Iterator[str]:
    """Which limits the row exceeds, in words."""
    if row.point.is_over_cost and row.cost_limit_usd is not None:
        yield f"Over the limit of {format_quantity(row.cost_limit_usd, unit='USD')}"
    if row.point.is_over_latency and row.latency_limit_ms is not None:
        yield f"Over the limit of {format_quantity(row.latency_limit_ms, unit='ms')}"


def _finding(shown: Sequence[PortfolioRow], *, has_limits: bool) -> str:
    if not has_limits:
        return NO_LIMIT
    over = [row.name for row in shown if row.point.is_over_cost or row.point.is_over_latency]
    return f"{OVER.capitalize()}: {', '.join(over)}." if over else "No model is over a limit of its policy."
