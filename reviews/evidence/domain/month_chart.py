"""The months of an authorized model as a chart: bills against the projected band."""

from collections.abc import Sequence
from decimal import Decimal

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point, ReferenceLine
from reviews.evidence.domain.comparison import ComparedMonth, MonthStatus
from weighbridge.core.money import format_usd

_FEWEST = 2


def month_chart(months: Sequence[ComparedMonth]) -> PageChart | None:
    """Projected median with its band, billed amounts and limits, by month; None without two months and one bill.

    A bill over its limit has a ring.
    """
    shown = sorted(months, key=lambda month: month.month)
    if len(shown) < _FEWEST or all(month.billed is None for month in shown):
        return None
    names = tuple(f"{month.month:%b %Y}" for month in shown)
    spans = [(place, month.projected) for place, month in enumerate(shown) if month.projected is not None]
    band = tuple(
        Point(place, float(span.median), names[place], float(span.low or 0), float(span.high))
        for place, span in spans
        if span.high is not None
    )
    median = tuple(Point(place, float(span.median), names[place]) for place, span in spans)
    billed = tuple(
        Point(
            place,
            float(month.billed),
            names[place],
            note=_note(month),
            is_chosen=month.status is MonthStatus.BREACH,
        )
        for place, month in enumerate(shown)
        if month.billed is not None
    )
    series = (
        ChartSeries("projected, P10 to P90", ChartMark.BAND, band),
        ChartSeries("billed", ChartMark.LINE, billed),
        ChartSeries("projected, median", ChartMark.LINE, median, is_dashed=True),
    )
    limits = sorted({month.limit for month in shown if month.limit is not None})
    return PageChart(
        "months-chart",
        "Bills against the projection",
        _finding(shown),
        ChartAxis("month", labels=names),
        ChartAxis("cost of a month", "USD"),
        tuple(each for each in series if each.points),
        tuple(ReferenceLine("limit of a month", float(limit)) for limit in limits),
    )


def _note(month: ComparedMonth) -> str:
    over = "Over its limit" if month.status is MonthStatus.BREACH else ""
    return ". ".join(filter(None, (over, "" if month.is_over else "The month is not over")))


def _finding(months: Sequence[ComparedMonth]) -> str:
    over = [f"{month.month:%b %Y}" for month in months if month.status is MonthStatus.BREACH]
    differences = [month.difference for month in months if month.is_over and month.difference is not None]
    total = sum(differences, Decimal(0))
    text = f"The bills are above the limit in {', '.join(over)}." if over else "No bill is above its limit."
    if not differences:
        return text
    more = "more" if total >= 0 else "less"
    return f"{text} The months that are over cost {format_usd(abs(total))} {more} than projected."
