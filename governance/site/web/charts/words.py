"""The words of a chart: numbers of its axes, what each point says, and its table."""

from dataclasses import dataclass
from decimal import Decimal

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from governance.site.web.formatting import format_quantity, unit_words

WITH_SIGN = frozenset({"USD", "ratio"})
EMPTY, LIMIT = "\N{EN DASH}", "limit"


@dataclass(frozen=True)
class Cell:
    """A cell of the table of a chart."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class ChartTable:
    """The same data as a table: headings, and rows that each begin with their name."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def number_words(value: float, unit: str) -> str:
    """A number with its unit: "12.4 ms", "$1,200"."""
    return format_quantity(Decimal(repr(value)), unit=unit)


def tick_words(value: float, unit: str) -> str:
    """A number of an axis; the unit is in the title of the axis, unless it is a sign beside the number."""
    return number_words(value, unit if unit in WITH_SIGN else "1")


def reference_words(reference: ReferenceLine, axis: ChartAxis) -> str:
    """A line across a chart with its value: "limit: 100 ms"; between names, its name alone."""
    if axis.is_names or axis.ticks:
        return reference.name
    return f"{reference.name}: {number_words(reference.value, axis.unit)}"


def axis_words(axis: ChartAxis) -> str:
    """The title of an axis with its unit: "latency p95, ms"."""
    unit = "" if axis.unit in WITH_SIGN else unit_words(axis.unit)
    return ", ".join(part for part in (axis.title, unit) if part)


def value_words(chart: PageChart, series: ChartSeries, point: Point) -> str:
    """The value of a point with its interval: "12.4 ms (12.1 ms to 13 ms)"; of a band its edges."""
    unit = chart.value_axis.unit
    between = (
        f"{number_words(point.low, unit)} to {number_words(point.high, unit)}"
        if point.low is not None and point.high is not None
        else ""
    )
    if series.mark is ChartMark.BAND:
        return between
    value = number_words(chart.value_of(point), unit)
    return f"{value} ({between})" if between else value


def point_words(chart: PageChart, series: ChartSeries, point: Point) -> str:
    """What a point is: its name, series, value and interval, and what else is known of it."""
    values = value_words(chart, series, point)
    if chart.is_plane:
        values = f"{chart.x.title} {number_words(point.x, chart.x.unit)}, {chart.y.title} {values}"
    said = f"{point.name}, {series.name}: {values}" if point.name != series.name else f"{point.name}: {values}"
    return f"{said}. {point.note}" if point.note else said


def chart_table(chart: PageChart) -> ChartTable:
    """The table of a chart: a row for each point of a plane, else a row for each name and a column for each series."""
    return _plane_table(chart) if chart.is_plane else _series_table(chart)


def _plane_table(chart: PageChart) -> ChartTable:
    rows = (
        (
            Cell(point.name, point.href),
            Cell(number_words(point.x, chart.x.unit)),
            Cell(value_words(chart, series, point)),
            Cell(series.name),
            Cell(point.note),
        )
        for series in chart.series
        for point in series.points
    )
    limits = (
        *((each, number_words(each.value, chart.x.unit), EMPTY) for each in chart.across),
        *((each, EMPTY, number_words(each.value, chart.y.unit)) for each in chart.references),
    )
    lines = (tuple(map(Cell, (each.name, x, y, LIMIT if each.is_limit else "", ""))) for each, x, y in limits)
    return ChartTable(("", axis_words(chart.x), axis_words(chart.y), "kind", "note"), (*rows, *lines))


def _series_table(chart: PageChart) -> ChartTable:
    names = dict.fromkeys(point.name for point in _in_order(chart))
    found = {(series.name, point.name): (series, point) for series in chart.series for point in series.points}
    rows = tuple(
        (_name_cell(name, chart), *(_cell(chart, found.get((s.name, name))) for s in chart.series)) for name in names
    )
    references = tuple(
        (Cell(each.name), Cell(number_words(each.value, chart.value_axis.unit)), *(Cell("") for _ in chart.series[1:]))
        for each in chart.references
    )
    across = tuple((Cell(each.name), *(Cell("") for _ in chart.series)) for each in chart.across)
    return ChartTable(("", *(series.name for series in chart.series)), rows + references + across)


def _in_order(chart: PageChart) -> list[Point]:
    return sorted(chart.points, key=lambda point: point.y if chart.is_rows else point.x)


def _name_cell(name: str, chart: PageChart) -> Cell:
    return Cell(name, next((point.href for point in chart.points if point.name == name and point.href), ""))


def _cell(chart: PageChart, found: tuple[ChartSeries, Point] | None) -> Cell:
    if found is None:
        return Cell(EMPTY)
    series, point = found
    words = value_words(chart, series, point)
    return Cell(f"{words}. {point.note}" if point.note else words)
