"""The reliability chart: what share of the rows with a stated probability is right."""

from collections.abc import Mapping
from typing import Any

from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import layer, quantitative
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import INK, INK_SOFT, PETROL
from weighbridge.core.errors import Invalid

SIDE_PX = 380


def reliability_chart(document: Mapping[str, Any]) -> Chart:
    """Draw a `weighbridge.scores/1` with probabilities; raise Invalid without any."""
    bins = document["reliability"]
    if bins is None:
        text = "A reliability chart needs probabilities of classes; there are none."
        raise Invalid(text, code="chart_reliability", field="chart")
    x = quantitative("stated", title="stated probability", scale={"domain": [0, 1]})
    y = quantitative("share", title="share that is right", scale={"domain": [0, 1]})
    diagonal = [{"stated": end, "share": end} for end in (0, 1)]
    layers = [
        layer(diagonal, {"type": "line", "stroke": INK_SOFT, "strokeDash": [4, 3], "strokeWidth": 1}, x=x, y=y),
        layer(bins, {"type": "rule", "stroke": INK}, x=x, y=quantitative("lower"), y2={"field": "upper"}),
        layer(bins, {"type": "line", "stroke": PETROL, "strokeWidth": 1.2}, x=x, y=y),
        layer(bins, {"type": "point", "fill": PETROL, "stroke": INK, "size": 55, "opacity": 1}, x=x, y=y),
    ]
    title = "Reliability of stated probabilities"
    furthest = max(bins, key=lambda each: abs(each["share"] - each["stated"]))
    alt = (
        f"{title}: {len(bins)} bins; the largest difference is at a stated {furthest['stated']:.0%}, of which "
        f"{furthest['share']:.0%} are right."
    )
    rows = tuple(
        (
            f"{each['from']:.2f} to {each['to']:.2f}",
            *(f"{each[key]:.3f}" for key in ("stated", "share", "lower", "upper")),
            f"{each['n']:,}",
        )
        for each in bins
    )
    table = Table(title, ("bin", "stated", "right", "lower", "upper", "rows"), rows, frozenset(range(1, 6)))
    return chart_of({"width": SIDE_PX, "height": SIDE_PX, "layer": layers}, title=title, alt=alt, table=table)
