"""The learning curve as a chart: measured points, the fitted line, and the forecast for more rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from weighbridge.charts.drawing import Chart, altair, chart_from_rows, chart_of
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import INK, PAPER, PETROL
from weighbridge.tradeoff.charts.words import capital, name_of


def learning_curve(document: Mapping[str, Any]) -> Chart:
    """Draw a `weighbridge.learning-curve/1`: the points, the fitted line, and the forecast at N, 2 N and 4 N."""
    alt = altair()
    metric, expected = document["metric"], document["expected"]
    points = [{"x": point["rows"], "y": point["value"]} for point in document["points"]]
    fit, is_error = document["fit"], metric == "error"
    furthest = expected[-1]["rows"] if expected else points[-1]["x"]
    grid = np.geomspace(points[0]["x"], furthest, 80)
    errors = fit["a"] + fit["b"] * grid ** -fit["c"]
    line = [
        {
            "x": float(x),
            "y": float(error if is_error else 1 - error),
            "part": "fitted" if x <= points[-1]["x"] else "expected",
        }
        for x, error in zip(grid, errors, strict=True)
    ]
    ahead = [{"x": row["rows"], "y": row["value"], "low": row["lower"], "high": row["upper"]} for row in expected]
    ends = [row[key] for row in ahead for key in ("low", "high")] + [point["y"] for point in points]
    room = (max(ends) - min(ends)) * 0.06 or 0.01
    x = alt.X("x:Q", scale=alt.Scale(type="log", nice=False), title="rows of training data")
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False, zero=False),
        title=name_of(metric),
    )
    dash = alt.StrokeDash("part:N", scale=alt.Scale(domain=["fitted", "expected"], range=[[1, 0], [5, 3]]), title=None)
    picture = alt.layer(
        chart_from_rows(line).mark_line(color=PETROL, strokeWidth=1.6).encode(x=x, y=y, strokeDash=dash),
        chart_from_rows(ahead).mark_rule(color=INK, strokeWidth=1.4).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        chart_from_rows(ahead).mark_point(shape="diamond", fill=PAPER, stroke=INK, size=80, opacity=1).encode(x=x, y=y),
        chart_from_rows(points)
        .mark_point(shape="circle", fill=PETROL, stroke=INK, size=60, opacity=1)
        .encode(x=x, y=y),
    )
    title = capital(f"{name_of(metric)} by rows of training data")
    words = (
        f"{title}: measured {points[0]['y']:.3f} at {points[0]['x']:,} to {points[-1]['y']:.3f} at "
        f"{points[-1]['x']:,}; {_forecast_words(ahead)}."
    )
    return chart_of(picture.configure_legend(orient="bottom"), title=title, alt=words, table=_table(document, title))


def _forecast_words(ahead: Sequence[Mapping[str, Any]]) -> str:
    if not ahead:
        return "no forecast"
    far = ahead[-1]
    return f"expected {far['y']:.3f} ({far['low']:.3f} to {far['high']:.3f}) at {far['x']:,}"


def _table(document: Mapping[str, Any], title: str) -> Table:
    """List the measured points, then the forecasts with their bounds."""
    measured = (
        (f"{point['rows']:,}", f"{point['value']:.4f}", EMPTY_CELL, EMPTY_CELL, f"measured, mean of {point['parts']}")
        for point in document["points"]
    )
    basis = f"expected, {document['confidence']:.0%}"
    expected = (
        (f"{row['rows']:,}", f"{row['value']:.4f}", f"{row['lower']:.4f}", f"{row['upper']:.4f}", basis)
        for row in document["expected"]
    )
    heads = ("rows", name_of(document["metric"]), "lower", "upper", "basis")
    return Table(title, heads, (*measured, *expected), frozenset({0, 1, 2, 3}))
