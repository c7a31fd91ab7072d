"""Geometry of a latency histogram: where its bars, ticks and percentile marks stand, in pixels. Pure.

The scale ends a little beyond p99, because the few slowest answers would squeeze everything else into one bar; what
lies further out is counted and said, never drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 150
BINS = 120
_TICKS = 8
_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Bar:
    """A bin of latencies; `y` counts from the top."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A place on the scale with its label; `row` keeps neighbouring labels apart."""

    x: float
    label: str
    row: int = 0


@dataclass(frozen=True)
class Histogram:
    """Everything there is to draw. `beyond` samples of `kept` lie outside the scale to the right."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    kept: int
    beyond: int
    stride: int


def latency_histogram(
    *, latencies_ns: Sequence[float], percentiles_ms: Mapping[str, float], stride: int = 1
) -> Histogram | None:
    """Lay out latencies given in ns, with percentiles in ms marked by their names; None where nothing can be drawn."""
    ordered = sorted(value / _NS_PER_MS for value in latencies_ns)
    if len(ordered) < 2 or ordered[-1] <= ordered[0]:
        return None
    last = min(max([_quantile(ordered, 0.995), *percentiles_ms.values()]) * 1.06, ordered[-1] * 1.02)
    first = max(ordered[0] - (last - ordered[0]) * 0.03, 0.0)
    scale = WIDTH / (last - first)
    marks = sorted((value, name) for name, value in percentiles_ms.items() if first <= value <= last)
    return Histogram(
        width=WIDTH,
        height=HEIGHT,
        bars=_bars(ordered, first, last),
        ticks=tuple(Mark(round((tick - first) * scale, 1), f"{tick:g}") for tick in _ticks(first, last)),
        marks=tuple(Mark(round((value - first) * scale, 1), name, row) for row, (value, name) in enumerate(marks)),
        kept=len(ordered),
        beyond=sum(value > last for value in ordered),
        stride=stride,
    )


def _bars(ordered: Sequence[float], first: float, last: float) -> tuple[Bar, ...]:
    counts = [0] * BINS
    for value in ordered:
        if value <= last:
            counts[min(int((value - first) / (last - first) * BINS), BINS - 1)] += 1
    width, most = WIDTH / BINS, max(counts)
    return tuple(
        Bar(round(index * width, 1), round(HEIGHT - height, 1), round(width - 0.6, 1), round(height, 1))
        for index, count in enumerate(counts)
        if (height := max(count / most * HEIGHT, 1.0 if count else 0.0)) > 0
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _ticks(first: float, last: float) -> list[float]:
    rough = (last - first) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(number * step, 12) for number in range(ceil(first / step), floor(last / step) + 1)]
