"""The Pareto frontier of variants as charts: quality against latency, size, or the cost of an accepted answer.

The charts are drawn from the numbers of the result, never from pictures in it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from benchmarking.runs.domain.alternatives import VariantLine
from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from weighbridge.core.metrics.units import with_commas, with_unit
from weighbridge.core.metrics.values import number_text

_QUALITY = (("accuracy", "accuracy"), ("pass_rate", "pass rate"))
_COSTS = (
    ("latency_p95_ms", "p95 latency", "ms"),
    ("model_size_mb", "size", "MB"),
    ("cost_per_accepted_usd", "cost of an accepted answer", "USD"),
)
_KINDS = ("frontier", "ambiguous", "dominated")
_NAMES = {"frontier": "on the frontier", "ambiguous": "ambiguous", "dominated": "dominated", "": "not compared"}
_FEWEST, LIMIT_REACH = 2, 4


@dataclass(frozen=True)
class _Dot:
    name: str
    x: float
    y: float
    low: float | None
    high: float | None
    kind: str
    note: str
    href: str
    is_model: bool


def frontier_charts(result: Mapping[str, Any], lines: tuple[VariantLine, ...], *, anchor: str) -> tuple[PageChart, ...]:
    """One chart for each cost that at least two variants have together with a quality; `lines` are those of the result.

    A dot leads to `#<anchor>-variant-<number>`, the row of its variant.
    """
    charts: list[PageChart] = []
    for quality, up in _QUALITY:
        for cost, across, unit in _COSTS:
            dots = tuple(_dots(result, lines, cost, quality, anchor))
            if len(dots) >= _FEWEST:
                slug = f"{anchor}-frontier-{len(charts)}"
                axes = (ChartAxis(across, unit), ChartAxis(up, "ratio"))
                title = f"{up.capitalize()} against {across}"
                charts.append(PageChart(slug, title, _finding(dots), *axes, tuple(_series(dots))))
    return tuple(charts)


def with_limits(charts: Iterable[PageChart], *, limits: Mapping[str, Decimal]) -> tuple[PageChart, ...]:
    """The charts with the limits of their metrics, by name of the metric, in its unit.

    A limit of more than `LIMIT_REACH` times the largest value is said, not drawn: it would leave no room for the dots.
    """
    return tuple(_limited(chart, limits) for chart in charts)


def _limited(chart: PageChart, limits: Mapping[str, Decimal]) -> PageChart:
    cost = next((limits.get(metric) for metric, title, _ in _COSTS if title == chart.x.title), None)
    quality = next((limits.get(metric) for metric, title in _QUALITY if title == chart.y.title), None)
    references = () if quality is None else (ReferenceLine("limit", float(quality)),)
    if cost is None:
        return replace(chart, references=references)
    if cost > LIMIT_REACH * Decimal(max(point.x for point in chart.points)):
        limit = with_unit(with_commas(number_text(cost)), chart.x.unit)
        far = f"{chart.finding} The limit of {limit} is far beyond them."
        return replace(chart, finding=far, references=references)
    return replace(chart, references=references, across=(ReferenceLine("limit", float(cost)),))


def _dots(
    result: Mapping[str, Any], lines: tuple[VariantLine, ...], cost: str, quality: str, anchor: str
) -> Iterator[_Dot]:
    for number, (candidate, line) in enumerate(zip(result.get("candidates", ()), lines, strict=True)):
        metrics = candidate["metrics"]
        x, y = _number(metrics.get(cost), "value"), _number(metrics.get(quality), "value")
        if x is None or y is None:
            continue
        yield _Dot(
            line.name,
            x,
            y,
            low=_number(metrics[quality], "lower"),
            high=_number(metrics[quality], "upper"),
            kind=next((kind for kind in _KINDS if line.status.startswith(kind)), ""),
            note=line.answer.capitalize(),
            href=f"#{anchor}-variant-{number}",
            is_model=candidate["verdict"]["answer"] == "baseline",
        )


def _number(metric: Mapping[str, Any] | None, key: str) -> float | None:
    value = (metric or {}).get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _series(dots: tuple[_Dot, ...]) -> Iterator[ChartSeries]:
    for kind, name in _NAMES.items():
        points = tuple(
            Point(dot.x, dot.y, dot.name, dot.low, dot.high, note=dot.note, href=dot.href, is_chosen=dot.is_model)
            for dot in dots
            if dot.kind == kind
        )
        if points:
            yield ChartSeries(name, ChartMark.DOT, points, has_labels=True)


def _finding(dots: tuple[_Dot, ...]) -> str:
    names = [dot.name for dot in dots if dot.kind == "frontier"]
    best = f"On the frontier: {', '.join(names)}." if names else "No variant is on the frontier."
    model = next((dot.name for dot in dots if dot.is_model), "")
    return f"{best} The model itself is {model}, with a ring." if model else best
