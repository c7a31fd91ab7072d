"""The portfolio as a chart of the page: cost of one year against p95 latency, with the limits of the policies."""

from collections.abc import Iterator, Sequence

from django.urls import reverse

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from governance.site.web.formatting import format_quantity
from reviews.quarterly.domain.printed.charts import KINDS, OVER, limits_of, portfolio_kind
from reviews.quarterly.queries.portfolio import PortfolioRow

NO_LIMIT = "No policy limits the cost or the latency of these models."
NO_LIMIT_HERE = "No policy limits the cost or the latency of the models on this page."


def portfolio_chart(rows: Sequence[PortfolioRow], *, best: frozenset[str], is_part: bool = False) -> PageChart | None:
    """The models with a cost and a latency, by kind; None without one. A dot leads to the request.

    `best` are the points on the frontier, also of models that are not drawn. What is said is of the models of `rows`,
    and says so if these are a part of all.
    """
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
        _finding(shown, has_limits=bool(costs or latencies), is_part=is_part),
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


def _finding(shown: Sequence[PortfolioRow], *, has_limits: bool, is_part: bool) -> str:
    if not has_limits:
        return NO_LIMIT_HERE if is_part else NO_LIMIT
    over = [row.name for row in shown if row.point.is_over_cost or row.point.is_over_latency]
    here = " on this page" if is_part else ""
    if not over:
        return f"No model{here} is over a limit of its policy."
    return f"{OVER.capitalize()}{here}: {', '.join(over)}."
