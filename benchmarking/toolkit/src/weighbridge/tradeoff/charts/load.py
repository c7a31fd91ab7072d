"""The load curve: response times by achieved rate, from several load tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.charts.drawing import Chart, altair, chart_from_rows, chart_of
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import INK, INK_SOFT
from weighbridge.cli.tables.terminal import number
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.charts.strokes import dashed_lines, limit_line

RESPONSES = {f"response_time_{p}_ms": p for p in ("p50", "p90", "p95", "p99")}


def load_curve(results: Sequence[Mapping[str, Any]], *, limit_ms: float | None = None) -> Chart:
    """Draw response times by achieved rate; raise Invalid for fewer than two `weighbridge.load/1` with both."""
    usable = [
        result["metrics"] for result in results if {"achieved_per_s", "response_time_p50_ms"} <= set(result["metrics"])
    ]
    if len(usable) < 2:
        text = "A load curve needs at least two load tests at different rates that have response times."
        raise Invalid(text, code="chart_load", field="results")
    usable.sort(key=lambda metrics: float(metrics["achieved_per_s"]["value"]))
    rows = [
        {
            "percentile": word,
            "x": metrics["achieved_per_s"]["value"],
            "y": metrics[name]["value"],
            "low": metrics[name]["lower"],
            "high": metrics[name]["upper"],
        }
        for name, word in RESPONSES.items()
        for metrics in usable
        if name in metrics
    ]
    words = [word for word in RESPONSES.values() if any(row["percentile"] == word for row in rows)]
    lines = dashed_lines(
        rows,
        words,
        key="percentile",
        title="requests answered per second",
        up="response time (ms)",
        is_log=False,
        is_log_up=True,
    )
    layers = [
        lines,
        chart_from_rows(rows).mark_rule(color=INK_SOFT).encode(x="x:Q", y="low:Q", y2="high:Q"),
        chart_from_rows(rows).mark_point(size=40, filled=True, color=INK, opacity=1).encode(x="x:Q", y="y:Q"),
    ]
    if limit_ms is not None:
        layers += limit_line({"y": limit_ms}, f"limit {limit_ms:g} ms", up="y:Q", align="left", dx=4, dy=-8, x=0)
    table = Table(
        "Response time in milliseconds by rate",
        ("answered per second", *words, "failed"),
        tuple(_load_row(metrics, words) for metrics in usable),
        frozenset(range(len(words) + 2)),
    )
    first, last = usable[0], usable[-1]
    alt = (
        f"Response time over load, {len(usable)} tests: median {number(first['response_time_p50_ms']['value'])} ms at "
        f"{number(first['achieved_per_s']['value'])} per second, {number(last['response_time_p50_ms']['value'])} ms "
        f"at {number(last['achieved_per_s']['value'])}."
    )
    return chart_of(altair().layer(*layers), title="Response time over load", alt=alt, table=table)


def _load_row(metrics: Mapping[str, Any], words: Sequence[str]) -> tuple[str, ...]:
    times = ((metrics.get(f"response_time_{word}_ms") or {}).get("value") for word in words)
    failed = (metrics.get("error_rate") or {}).get("value")
    return (
        number(metrics["achieved_per_s"]["value"]),
        *(number(time) or EMPTY_CELL for time in times),
        EMPTY_CELL if failed is None else f"{failed:.2%}",
    )
