"""The picture of a chart: its frame with axes and reference lines, and a layer for each series."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from governance.site.domain.charts.chart import ChartAxis, PageChart, ReferenceLine
from governance.site.web.charts.boxes import LETTER, TOP, WIDTH, Box
from governance.site.web.charts.shapes import Layer, Shape, Text, labels_of, layer_of
from governance.site.web.charts.words import ChartTable, axis_words, chart_table, reference_words
from governance.site.web.charts.zoom import Zoom, zoom_of


@dataclass(frozen=True)
class DrawnChart:
    """A drawn chart in a box of `width` by `height`, and its table.

    `limits` are those of its key, in words; `zoom` is what can be zoomed, None for nothing.
    """

    chart: PageChart
    width: int
    height: int
    frame: tuple[Shape, ...]
    texts: tuple[Text, ...]
    layers: tuple[Layer, ...]
    limits: tuple[str, ...]
    table: ChartTable
    zoom: Zoom | None = None


def picture_of(chart: PageChart) -> DrawnChart:
    """Draw a chart."""
    box = Box(chart)
    references = (_reference_text(box, each) for each in chart.references)
    across = (_across_text(box, each, place) for place, each in enumerate(chart.across))
    limits = (*_limits(chart.references, chart.value_axis), *_limits(chart.across, chart.other_axis))
    texts = (*_titles(box), *_tick_texts(box), *references, *across)
    labels = labels_of(box)
    layers = tuple(layer_of(box, one, index, texts=labels[index]) for index, one in enumerate(chart.series))
    return DrawnChart(
        chart, WIDTH, box.height, tuple(_frame(box)), texts, layers, limits, chart_table(chart), zoom_of(box)
    )


def _limits(references: Iterable[ReferenceLine], axis: ChartAxis) -> Iterator[str]:
    return (reference_words(each, axis) for each in references if each.is_limit)


def _label(reference: ReferenceLine, axis: ChartAxis) -> str:
    """The text at a line: that of a limit has its number."""
    return reference_words(reference, axis) if reference.is_limit else reference.name


def _titles(box: Box) -> Iterator[Text]:
    yield Text("title", box.right, box.height - 6, axis_words(box.chart.x), "end")
    if not box.chart.is_rows:
        yield Text("title", 0, 10, axis_words(box.chart.y), "start")


def _tick_texts(box: Box) -> Iterator[Text]:
    for value, text in _readable(box):
        is_cut = box.x(value) + len(text) * LETTER / 2 > WIDTH
        at, align = (WIDTH, "end") if is_cut else (box.x(value), "middle")
        yield Text("tick", at, box.base + 16, text, align, axis="x")
    for value, text in box.ticks(box.chart.y, box.down):
        yield Text("tick", box.left - 8, box.y(value) + 4, text, "end", axis="y")


def _readable(box: Box) -> list[tuple[float, str]]:
    """Every nth tick, so that their texts do not touch."""
    ticks = box.ticks(box.chart.x, box.across)
    longest = max((len(text) for _, text in ticks), default=0) * LETTER + 10
    return ticks[:: max(1, int(-(-len(ticks) * longest // (box.right - box.left))))]


def _frame(box: Box) -> Iterator[Shape]:
    chart = box.chart
    if not chart.x.is_names:
        yield from (_upright(box, value, "grid") for value, _ in _readable(box))
    if not chart.y.is_names:
        yield from (_level(box, value, "grid") for value, _ in box.ticks(chart.y, box.down))
    across = _upright if chart.is_rows else _level
    if chart.value_scale.has_zero:
        yield across(box, 0, "axis")
    for each in chart.references:
        yield across(box, each.value, _part(each), reference_words(each, chart.value_axis))
    for each in chart.across:
        yield _upright(box, each.value, _part(each), reference_words(each, chart.other_axis))


def _part(reference: ReferenceLine) -> str:
    return "limit" if reference.is_limit else "reference"


def _upright(box: Box, value: float, part: str, words: str = "") -> Shape:
    return Shape(part, f"M{box.x(value)} {TOP}V{box.base}", words, axis="x")


def _level(box: Box, value: float, part: str, words: str = "") -> Shape:
    return Shape(part, f"M{box.left} {box.y(value)}H{box.right}", words, axis="y")


def _reference_text(box: Box, reference: ReferenceLine) -> Text:
    words = _label(reference, box.chart.value_axis)
    if not box.chart.is_rows:
        at = box.y(reference.value)
        return Text("label", box.right, at, words, "end", dy=13 if at < TOP + 12 else -4, axis="y")
    at = box.x(reference.value)
    return Text("label", at, TOP - 4, words, "end" if at > WIDTH * 0.7 else "start", axis="x")


def _across_text(box: Box, reference: ReferenceLine, place: int) -> Text:
    """Each name one line below the one before, so that names of neighbors do not touch."""
    at, words = box.x(reference.value), _label(reference, box.chart.other_axis)
    align, dx = ("end", -4) if at > WIDTH * 0.8 else ("start", 4)
    return Text("label", at, TOP + 10 + 14 * place, words, align, dx, axis="x")
