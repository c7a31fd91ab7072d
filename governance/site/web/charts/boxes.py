"""The box of a chart: turns values into pixels, with room for the texts of its axes."""

from governance.site.domain.charts.chart import ChartAxis, PageChart, Point
from governance.site.domain.charts.scales import LinearScale
from governance.site.web.charts.words import tick_words

WIDTH, PLANE_HEIGHT, ROW_HEIGHT = 720, 300, 30
TOP, RIGHT, BOTTOM, LETTER = 26, 18, 44, 6.8
LEFT_MIN, LEFT_MAX = 24, 230
LABEL_MAX = int(LEFT_MAX / LETTER) - 2


class Box:
    """The places of a chart in a box of `WIDTH` by `height` pixels; the plot ends at `left`, `right`, `TOP`, `base`."""

    def __init__(self, chart: PageChart) -> None:
        self.chart = chart
        scales = (chart.value_scale, chart.other_scale)
        self.across, self.down = scales if chart.is_rows else scales[::-1]
        longest = max((len(text) for _, text in self.ticks(chart.y, self.down)), default=0)
        self.left = round(min(max(min(longest, LABEL_MAX) * LETTER + 14, LEFT_MIN), LEFT_MAX), 1)
        self.right = WIDTH - RIGHT
        self.height = TOP + BOTTOM + len(chart.y.labels) * ROW_HEIGHT if chart.is_rows else PLANE_HEIGHT
        self.base = self.height - BOTTOM

    def ticks(self, axis: ChartAxis, scale: LinearScale) -> list[tuple[float, str]]:
        """The positions on an axis that have a text."""
        if axis.is_names:
            return [(float(place), _cut(name)) for place, name in enumerate(axis.labels)]
        return list(axis.ticks) or [(tick, tick_words(tick, axis.unit)) for tick in scale.ticks]

    def x(self, value: float) -> float:
        """The pixels from the left."""
        return round(self.left + self.across.share(value) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """The pixels from the top; rows run downward, values upward."""
        share = self.down.share(value)
        return round(TOP + (share if self.chart.is_rows else 1 - share) * (self.base - TOP), 1)

    def place(self, point: Point, value: float | None = None) -> tuple[float, float]:
        """The place of a point, or of another `value` beside it."""
        shown = self.chart.value_of(point) if value is None else value
        return (self.x(shown), self.y(point.y)) if self.chart.is_rows else (self.x(point.x), self.y(shown))

    def bar_width(self) -> float:
        """The room for the bars of one name."""
        names = self.chart.y.labels if self.chart.is_rows else self.chart.x.labels
        room = self.base - TOP if self.chart.is_rows else self.right - self.left
        return room / max(len(names), 1)


def _cut(text: str) -> str:
    """The name with its beginning and its end: names of versions of one model begin alike."""
    end = LABEL_MAX // 2
    return text if len(text) <= LABEL_MAX else f"{text[: LABEL_MAX - 1 - end]}…{text[-end:]}"
