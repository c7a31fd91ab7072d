"""The shapes of a series: dots with whiskers, lines, bands and bars.

Shape, dash and hatching tell series apart; color only repeats it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from governance.site.domain.charts.chart import ChartMark, ChartSeries, Point
from governance.site.web.charts.boxes import TOP, WIDTH, Box
from governance.site.web.charts.words import point_words
from weighbridge.charts.labels import line_box, place_labels

BAR_SHARE = 0.62
SYMBOLS = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
    "M-4.5 -4.5h9v9h-9z",
    "M0 -6l6 6l-6 6l-6 -6z",
    "M0 -6l5.5 10h-11z",
    "M0 6l5.5 -10h-11z",
    "M-5 -2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",
)
TONES = len(SYMBOLS)
# What fills the bars of each tone: nothing is a solid bar.
HATCHES = (
    "",
    "M0 5L5 0M-1 1L1 -1M4 6L6 4",
    "M1 1h1.6v1.6h-1.6zM3.5 3.5h1.6v1.6h-1.6z",
    "M0 0L5 5M-1 4L1 6M4 -1L6 1",
    "M0 2.5H5",
    "M2.5 0V5",
)
LINE_KEY, BLOCK_KEY = "M-9 0H9", "M-7 -5h14v10h-14z"


@dataclass(frozen=True)
class Shape:
    """One path: the end of its CSS class, what a reader sees on it, its link, and where its origin lies if not at 0.

    In the path, capital commands hold places and small ones sizes, which do not change when the chart is zoomed.
    `axis` is the axis ("x", "y") on whose value a line across the chart lies; "" for others.
    """

    part: str
    path: str
    words: str = ""
    href: str = ""
    at: tuple[float, float] | None = None
    is_chosen: bool = False
    axis: str = ""


@dataclass(frozen=True)
class Text:
    """A text: its place, its alignment (start, middle, end), and its distance from the place in pixels (down is +).

    `axis` is as in `Shape`. A text is hidden if it has no room.
    """

    part: str
    x: float
    y: float
    text: str
    align: str = "middle"
    dx: float = 0
    dy: float = 0
    axis: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class Layer:
    """What is drawn for one series: its name, the number of its tone, its symbol in the key, shapes and texts.

    `hatch` is the pattern of its bars; empty for solid ones and for other marks.
    """

    name: str
    tone: int
    key: str
    key_part: str
    hatch: str
    shapes: tuple[Shape, ...]
    texts: tuple[Text, ...]


def layer_of(box: Box, series: ChartSeries, index: int, *, texts: tuple[Text, ...]) -> Layer:
    """Draw a series, the `index`th of its chart, with its labels."""
    tone = index % TONES
    key, part = {
        ChartMark.DOT: (SYMBOLS[tone], "dot"),
        ChartMark.BAR: (BLOCK_KEY, "bar"),
        ChartMark.BAND: (BLOCK_KEY, "band"),
    }.get(series.mark, (LINE_KEY, "line"))
    shapes = _DRAWN[series.mark](box, series, SYMBOLS[tone])
    hatch = HATCHES[tone] if series.mark is ChartMark.BAR else ""
    return Layer(series.name, tone, key, _dashed(part, series), hatch, tuple(shapes), texts)


def _dashed(part: str, series: ChartSeries) -> str:
    return f"{part} chart-dashed" if series.is_dashed else part


def _line(box: Box, series: ChartSeries, symbol: str) -> Iterator[Shape]:
    places = [box.place(point) for point in series.points]
    steps = [f"H{x}V{y}" if series.mark is ChartMark.STEP else f"L{x} {y}" for x, y in places[1:]]
    if places:
        yield Shape(_dashed("line", series), f"M{places[0][0]} {places[0][1]}{''.join(steps)}")
    part = "stop" if series.mark is ChartMark.STEP or series.is_dashed else "dot"
    for point, at in zip(series.points, places, strict=True):
        yield Shape(part, symbol, point_words(box.chart, series, point), point.href, at, point.is_chosen)


def _band(box: Box, series: ChartSeries, _symbol: str) -> Iterator[Shape]:
    ends = [(point, point.low, point.high) for point in series.points]
    lower = [box.place(point, low) for point, low, _ in ends]
    upper = [box.place(point, high) for point, _, high in ends]
    path = "L".join(f"{x} {y}" for x, y in [*upper, *reversed(lower)])
    yield Shape("band", f"M{path}z")
    for point, low, high in ends:
        (x, top), (_, bottom) = box.place(point, high), box.place(point, low)
        yield Shape("stop", f"M{x} {top}V{bottom}", point_words(box.chart, series, point), point.href)


def _bars(box: Box, series: ChartSeries, _symbol: str) -> Iterator[Shape]:
    chart = box.chart
    bars = [each for each in chart.series if each.mark is ChartMark.BAR]
    width = box.bar_width() * BAR_SHARE / (1 if chart.is_stacked else len(bars))
    shift = 0.0 if chart.is_stacked else (bars.index(series) - (len(bars) - 1) / 2) * width
    for point in series.points:
        start = chart.stacked(series, point)
        one, other = box.place(point, start), box.place(point, start + chart.value_of(point))
        if one != other:
            path = _rectangle(one, other, shift - width / 2, round(width, 1), is_row=chart.is_rows)
            yield Shape("bar", path, point_words(chart, series, point), point.href, is_chosen=point.is_chosen)


def _rectangle(
    start: tuple[float, float], end: tuple[float, float], shift: float, width: float, *, is_row: bool
) -> str:
    if is_row:
        return f"M{start[0]} {round(start[1] + shift, 1)}H{end[0]}v{width}H{start[0]}z"
    left = round(start[0] + shift, 1)
    return f"M{left} {start[1]}V{end[1]}H{round(left + width, 1)}V{start[1]}z"


def _dots(box: Box, series: ChartSeries, symbol: str) -> Iterator[Shape]:
    for point in series.points:
        words = point_words(box.chart, series, point)
        if point.low is not None and point.high is not None:
            yield Shape("whisker", _whisker(box, point, point.low, point.high), words)
        yield Shape("dot", symbol, words, point.href, box.place(point), point.is_chosen)


def _whisker(box: Box, point: Point, low: float, high: float) -> str:
    (x1, y1), (x2, y2) = box.place(point, low), box.place(point, high)
    if box.chart.is_rows:
        return f"M{x1} {y1}m0 -5v10M{x1} {y1}H{x2}m0 -5v10"
    return f"M{x1} {y1}m-5 0h10M{x1} {y1}V{y2}m-5 0h10"


_DRAWN = {
    ChartMark.LINE: _line,
    ChartMark.STEP: _line,
    ChartMark.BAND: _band,
    ChartMark.BAR: _bars,
    ChartMark.DOT: _dots,
}


def labels_of(box: Box) -> tuple[tuple[Text, ...], ...]:
    """The names beside the dots of each series, so placed that none covers a dot, a whisker, a line or another name."""
    labeled = [(index, point) for index, one in enumerate(box.chart.series) if one.has_labels for point in one.points]
    points = [point for _, point in labeled]
    places = [(x - box.left, y - TOP) for x, y in map(box.place, points)]
    whiskers = [
        line_box((x, box.place(point, point.low)[1] - TOP), (x, box.place(point, point.high)[1] - TOP))
        for point, (x, _) in zip(points, places, strict=True)
        if point.low is not None and point.high is not None
    ]
    width, height = box.right - box.left, box.base - TOP
    levels = (box.y(each.value) - TOP for each in box.chart.references)
    uprights = (box.x(each.value) - box.left for each in box.chart.across)
    lines = [line_box((0, at), (width, at)) for at in levels] + [line_box((at, 0), (at, height)) for at in uprights]
    room = {"width": WIDTH - box.left - 8, "height": box.base - TOP}
    labels = place_labels(places, [point.name for point in points], lines=[*whiskers, *lines], may_drop=True, **room)
    texts: list[list[Text]] = [[] for _ in box.chart.series]
    for (index, point), (x, y), label in zip(labeled, places, labels, strict=True):
        align = {"left": "start", "right": "end"}.get(label.align, "middle")
        at = round(x + box.left, 1), round(y + TOP, 1)
        texts[index].append(Text("label", *at, point.name, align, label.dx, label.dy + 4, is_hidden=not label.text))
    return tuple(map(tuple, texts))
