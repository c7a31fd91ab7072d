"""The charts of the style guide: each mark, each kind of axis, and what is easily drawn wrong."""

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine

_MONTHS = ("Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEAMS = {
    "Search": (8200, 8900, 9100, 12400, 13100, 12900),
    "Fraud": (2100, 2300, 2200, 2600, 2500, 2700),
    "Support": (900, 1400, 3100, 3900, 4200, 5100),
}
_RUNS = (
    ("fashion-cnn 3", 12.41, 12.05, 12.97),
    ("fashion-cnn 3, INT8", 7.08, 6.91, 7.4),
    ("fashion-cnn 2", 98.2, 94, 103),
)
_VARIANTS = (
    ("baseline", 12.4, 0.9127, 0.9071, 0.9181),
    ("INT8", 7.1, 0.9094, 0.9041, 0.9147),
    ("INT8, pruned", 6.9, 0.9092, 0.9039, 0.9145),
    ("student", 3.2, 0.8931, 0.8870, 0.8990),
    ("FP16", 11.9, 0.9127, 0.9070, 0.9181),
)


def specimens() -> tuple[PageChart, ...]:
    """One chart of each kind, with sample data."""
    return (_dot_plot(), _plane(), _stack(), _band(), _histogram())


def _dot_plot() -> PageChart:
    points = tuple(
        Point(value, place, name, low, high, note="n 4,096, measured", href="#metric-rows")
        for place, (name, value, low, high) in enumerate(_RUNS)
    )
    return PageChart(
        "specimen-dots",
        "Latency p95 of three runs",
        "Only fashion-cnn 2 may exceed the limit of 100 ms.",
        ChartAxis("latency p95", "ms"),
        ChartAxis("run", labels=tuple(name for name, *_ in _RUNS)),
        (ChartSeries("measured", ChartMark.DOT, points),),
        (ReferenceLine("limit", 100),),
    )


def _plane() -> PageChart:
    def dots(name: str, *places: int) -> ChartSeries:
        chosen = [_VARIANTS[place] for place in places]
        points = (
            Point(x, y, title, low, high, href="#metric-rows", is_chosen=title == "INT8")
            for title, x, y, low, high in chosen
        )
        return ChartSeries(name, ChartMark.DOT, tuple(points), has_labels=True)

    return PageChart(
        "specimen-plane",
        "Accuracy against latency",
        "INT8 is the fastest variant whose accuracy does not differ measurably from the baseline's.",
        ChartAxis("latency p95", "ms"),
        ChartAxis("accuracy", "ratio"),
        (dots("on the frontier", 0, 1, 3), dots("ambiguous", 2), dots("dominated", 4)),
    )


def _stack() -> PageChart:
    series = tuple(
        ChartSeries(
            team, ChartMark.BAR, tuple(Point(place, amount, _MONTHS[place]) for place, amount in enumerate(amounts))
        )
        for team, amounts in _TEAMS.items()
    )
    return PageChart(
        "specimen-stack",
        "Spend by month and team",
        "Spend rose from 11,200 USD in July to 20,700 USD in December; Support grew most.",
        ChartAxis("month", labels=_MONTHS),
        ChartAxis("spend", "USD"),
        series,
        is_stacked=True,
    )


def _band() -> PageChart:
    planned = (4100, 4150, 4200, 4250, 4300, 4350)
    band = tuple(Point(place, value, _MONTHS[place], value * 0.85, value * 1.25) for place, value in enumerate(planned))
    middle = tuple(Point(place, value, _MONTHS[place]) for place, value in enumerate(planned))
    billed = tuple(Point(place, value, _MONTHS[place]) for place, value in enumerate((3900, 4300, 4700, 5600)))
    return PageChart(
        "specimen-band",
        "Bills against the projection",
        "The bill of October is above the projected band.",
        ChartAxis("month", labels=_MONTHS),
        ChartAxis("cost of a month", "USD"),
        (
            ChartSeries("projected, 80 %", ChartMark.BAND, band),
            ChartSeries("billed", ChartMark.LINE, billed),
            ChartSeries("projected", ChartMark.LINE, middle, is_dashed=True),
        ),
    )


def _histogram() -> PageChart:
    counts = (3, 41, 180, 420, 511, 380, 201, 90, 41, 18, 9, 4, 1)
    names = tuple(f"{9 + 0.5 * place:g} to {9.5 + 0.5 * place:g} ms" for place in range(len(counts)))
    points = tuple(Point(place, count, names[place]) for place, count in enumerate(counts))
    return PageChart(
        "specimen-histogram",
        "Latencies of one run",
        "Half of 1,899 answers took at most 11.2 ms.",
        ChartAxis("latency, ms", labels=tuple(f"{9 + 0.5 * place:g}" for place in range(len(counts)))),
        ChartAxis("answers"),
        (ChartSeries("answers", ChartMark.BAR, points),),
    )
