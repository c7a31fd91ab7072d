"""The latencies of a run as a histogram with its percentiles.

The scale ends just above the last percentile, because the slowest answers would compress everything else into one bar.
The finding says how many samples lie beyond it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from weighbridge.cli.tables.terminal import number

BINS, ALMOST_ALL, ROOM = 48, 0.995, 1.06
_FEWEST = 2


def latency_chart(samples_ms: Sequence[float], percentiles_ms: Mapping[str, float]) -> PageChart | None:
    """The counts of the samples in milliseconds by equal bins; None if there are none or all are equal."""
    ordered = np.sort(np.asarray(samples_ms, dtype=np.float64))
    if len(ordered) < _FEWEST or ordered[-1] <= ordered[0]:
        return None
    first = float(ordered[0])
    last = float(min(max([ordered[int(ALMOST_ALL * len(ordered))], *percentiles_ms.values()]) * ROOM, ordered[-1]))
    last = last if last > first else float(ordered[-1])
    counts, edges = np.histogram(ordered, bins=BINS, range=(first, last))
    names = tuple(f"{low} to {high} ms" for low, high in pairwise(_distinct(edges)))
    points = tuple(Point(place, int(count), names[place]) for place, count in enumerate(counts))
    across = tuple(
        ReferenceLine(f"{name} {number(value)}", (value - first) / (last - first) * BINS - 0.5, is_limit=False)
        for name, value in sorted(percentiles_ms.items(), key=lambda each: each[1])
        if first <= value <= last
    )
    return PageChart(
        "latency-chart",
        "Time per query",
        _finding(ordered, beyond=int((ordered > last).sum())),
        ChartAxis("time per query, ms", labels=tuple(_distinct(edges)[:-1])),
        ChartAxis("samples"),
        (ChartSeries("samples", ChartMark.BAR, points),),
        across=across,
    )


def _distinct(edges: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[str]:
    """The edges of the bins with as many digits as tell each from the next."""
    decimals = max(0, 1 - math.floor(math.log10(float(edges[1] - edges[0]))))
    return [f"{edge:,.{decimals}f}" for edge in edges]


def _finding(ordered: "np.ndarray[tuple[int], np.dtype[np.float64]]", *, beyond: int) -> str:
    text = f"{len(ordered):,} samples; half took at most {number(float(np.median(ordered)))} ms"
    slower = "1 slower sample is" if beyond == 1 else f"{beyond:,} slower samples are"
    return f"{text}; {slower} beyond the scale." if beyond else f"{text}."
