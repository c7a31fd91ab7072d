"""Histograms of latencies with labeled percentiles.

The scale ends just above the last percentile, because the slowest answers would compress everything else into one bar.
The description gives the number of samples beyond the scale.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.marks import layer, quantitative
from weighbridge.charts.tables import Table
from weighbridge.charts.theme import INK, PETROL
from weighbridge.cli.tables.terminal import number

WIDTH, HEIGHT, BINS, NAME_PX = 720, 170, 120, 14


def histogram(samples: Sequence[float], marks: Mapping[str, float], *, title: str, unit: str) -> Chart | None:
    """Draw the distribution of samples with named marks; None if all samples are equal."""
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    if len(ordered) < 2 or ordered[-1] <= ordered[0]:
        return None
    last = min(max([ordered[int(0.995 * len(ordered))], *marks.values()]) * 1.06, ordered[-1] * 1.02)
    first = max(ordered[0] - (last - ordered[0]) * 0.03, 0.0)
    counts, edges = np.histogram(ordered, bins=BINS, range=(first, last))
    bins = [
        {"from": float(edges[place]), "to": float(edges[place + 1]), "count": int(count)}
        for place, count in enumerate(counts)
        if count
    ]
    named = sorted((value, name) for name, value in marks.items() if first <= value <= last)
    rows = [
        {"at": value, "name": f"{name} {number(value)}", "top": NAME_PX * (place - len(named))}
        for place, (value, name) in enumerate(named)
    ]
    scale = {"domain": [float(first), float(last)], "nice": False, "zero": False}
    x = quantitative("from", title=f"{title}, {unit}", scale=scale, axis={"grid": False, "tickCount": 8})
    y = quantitative("count", title="samples", axis={"tickCount": 4, "format": ",d"})
    at, top = quantitative("at", scale=scale), {"field": "top", "type": "quantitative", "scale": None}
    bar = {"type": "bar", "color": PETROL, "opacity": 0.55, "binSpacing": 0.6}
    name = {"type": "text", "align": "left", "dx": 4, "dy": 5, "fontWeight": 700}
    layers = [
        layer(bins, bar, x=x, x2={"field": "to"}, y=y, y2={"datum": 0}),
        layer(rows, {"type": "rule", "color": INK, "strokeWidth": 1.2}, x=at, y=top, y2={"value": HEIGHT}),
        layer(rows, name, x=at, y=top, text={"field": "name"}),
    ]
    beyond = int((ordered > last).sum())
    alt = f"{len(ordered):,} samples; half took at most {number(float(np.median(ordered)))} {unit}"
    alt += f"; {beyond:,} slower {'sample is' if beyond == 1 else 'samples are'} beyond the scale." if beyond else "."
    cells = tuple((name, number(value)) for value, name in named)
    table = Table(f"{title}, {unit}", ("percentile", unit), cells, frozenset({1}))
    spec = {"width": WIDTH, "height": HEIGHT, "padding": 6, "layer": layers}
    return chart_of(spec, title=title, alt=alt, table=table)
