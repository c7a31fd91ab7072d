"""One description of a chart, from which its picture, its table and its words are made.

Rules that hold for every chart: bars lie on a scale with zero, all series share their scales, and nothing that is
described lies outside them. An axis with labels is a list of names; any other axis is a scale of numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from governance.site.domain.charts.scales import LinearScale, length_scale, place_scale


class ChartMark(StrEnum):
    """How the points of a series are drawn."""

    DOT = "dot"
    LINE = "line"
    STEP = "step"
    BAND = "band"
    BAR = "bar"


@dataclass(frozen=True)
class ChartAxis:
    """An axis: its title and unit ("USD", "ms", "ratio", "1"). With `labels`, positions are their indexes.

    `ticks` are positions with their texts, in place of round numbers; `fine` are more of them, for a part of the axis.
    """

    title: str
    unit: str = "1"
    labels: tuple[str, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()
    fine: tuple[tuple[float, str], ...] = ()

    @property
    def is_names(self) -> bool:
        """Whether the axis is a list of names."""
        return bool(self.labels)


@dataclass(frozen=True)
class Point:
    """A value of a series at `x` and `y`, on an axis with labels the index of the label.

    `low` and `high` bound the value: the interval of a dot, the edges of a band. `name` is its row in the table, `note`
    what else is known of it (sample size, source), and `href` leads to the object that it stands for.
    """

    x: float
    y: float
    name: str
    low: float | None = None
    high: float | None = None
    note: str = ""
    href: str = ""
    is_chosen: bool = False


@dataclass(frozen=True)
class ChartSeries:
    """Points under one name. `is_dashed` is for what has not happened yet; `has_labels` prints names beside dots."""

    name: str
    mark: ChartMark
    points: tuple[Point, ...]
    is_dashed: bool = False
    has_labels: bool = False


@dataclass(frozen=True)
class ReferenceLine:
    """A value that others are compared with, such as a limit: a line across the chart."""

    name: str
    value: float
    is_limit: bool = True


@dataclass(frozen=True)
class PageChart:
    """A chart. `slug` is unique on its page, `finding` says in one sentence what the chart shows.

    Bars with the same name are stacked if `is_stacked`. `references` lie on the axis of the values, `across` on the
    other axis: on one with labels, a fraction lies between two names.
    """

    slug: str
    title: str
    finding: str
    x: ChartAxis
    y: ChartAxis
    series: tuple[ChartSeries, ...]
    references: tuple[ReferenceLine, ...] = ()
    is_stacked: bool = False
    across: tuple[ReferenceLine, ...] = ()

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """All points of all series."""
        return tuple(point for series in self.series for point in series.points)

    @property
    def is_rows(self) -> bool:
        """Whether names are listed downward and values run to the right."""
        return self.y.is_names

    @property
    def is_plane(self) -> bool:
        """Whether each dot has a value on both axes, as in a scatter plot."""
        return not self.x.is_names and not self.y.is_names and all(each.mark is ChartMark.DOT for each in self.series)

    @property
    def has_bars(self) -> bool:
        """Whether lengths are compared, so that the scale must contain zero."""
        return any(series.mark in {ChartMark.BAR, ChartMark.BAND} for series in self.series)

    @property
    def other_axis(self) -> ChartAxis:
        """The axis that is not that of the values."""
        return self.y if self.is_rows else self.x

    @property
    def value_axis(self) -> ChartAxis:
        """The axis of the values: x if names are listed downward, else y."""
        return self.x if self.is_rows else self.y

    def value_of(self, point: Point) -> float:
        """The value of a point: its place on the axis of the values."""
        return point.x if self.is_rows else point.y

    @cached_property
    def value_scale(self) -> LinearScale:
        """The scale of the values: from zero for bars, bands and amounts; for a plane and for shares where dots lie."""
        ends = [*self._ends(), *(reference.value for reference in self.references)]
        is_place = not self.has_bars and (self.is_plane or self.value_axis.unit == "ratio")
        return (place_scale if is_place else length_scale)(ends)

    @cached_property
    def other_scale(self) -> LinearScale:
        """The scale of the other axis: its names, its own ticks, or where the points lie."""
        places = [point.y if self.is_rows else point.x for point in self.points]
        axis = self.other_axis
        if axis.is_names:
            return LinearScale(-0.5, len(axis.labels) - 0.5, tuple(float(place) for place in range(len(axis.labels))))
        if axis.ticks:
            places += [place for place, _ in axis.ticks]
            return LinearScale(min(places), max(*places, min(places) + 1), tuple(place for place, _ in axis.ticks))
        return place_scale([*places, *(reference.value for reference in self.across)])

    def stacked(self, series: ChartSeries, point: Point) -> float:
        """Where the bar of a point starts: on top of the bars of earlier series at the same place, else at zero."""
        if not self.is_stacked:
            return 0.0
        place = self._place(point)
        earlier = self.series[: self.series.index(series)]
        return sum(
            self.value_of(other)
            for each in earlier
            if each.mark is ChartMark.BAR
            for other in each.points
            if self._place(other) == place
        )

    def _place(self, point: Point) -> float:
        return point.y if self.is_rows else point.x

    def _ends(self) -> Iterable[float]:
        for series in self.series:
            for point in series.points:
                value = self.value_of(point)
                yield value + (self.stacked(series, point) if series.mark is ChartMark.BAR else 0.0)
                yield from (end for end in (point.low, point.high) if end is not None)
