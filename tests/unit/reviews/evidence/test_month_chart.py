"""Bills against the projection as a chart: bands, bills, and what it finds."""

from datetime import date
from decimal import Decimal

import pytest

from reviews.evidence.domain.comparison import ComparedMonth, Span
from reviews.evidence.domain.month_chart import month_chart

SPAN = Span(Decimal(80), Decimal(100), Decimal(150))


def month(number: int, billed: int | None, *, span: Span | None = SPAN, is_over: bool = True) -> ComparedMonth:
    paid = None if billed is None else Decimal(billed)
    return ComparedMonth(date(2026, number, 1), span, None, paid, None, is_over=is_over)


def test_bills_lie_on_the_band_of_their_months():
    chart = month_chart([month(9, 120), month(8, 90), month(10, 40, is_over=False), month(11, None, is_over=False)])
    assert chart is not None
    assert chart.x.labels == ("Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026")
    band, billed, median = chart.series
    assert [(point.low, point.high) for point in band.points] == [(80, 150)] * 4
    assert [(point.x, point.y, point.note) for point in billed.points] == [
        (0, 90, ""),
        (1, 120, ""),
        (2, 40, "The month is not over"),
    ]
    assert {point.y for point in median.points} == {100}
    assert chart.value_scale.first == 0
    assert chart.finding == "No bill is above its limit. The months that are over cost 10.00 USD more than projected."


def test_a_breach_is_named():
    chart = month_chart([month(8, 200), month(9, 10)])
    assert chart is not None
    assert chart.finding == (
        "The bills are above the limit in Aug 2026. The months that are over cost 10.00 USD more than projected."
    )
    chart = month_chart([month(8, 20), month(9, 10)])
    assert chart is not None
    assert "170.00 USD less than projected" in chart.finding


def test_without_a_projection_only_bills_are_drawn():
    plain = Span(None, Decimal(100), None)
    chart = month_chart([month(8, 200, span=None), month(9, 10, span=None)])
    assert chart is not None
    assert [series.name for series in chart.series] == ["billed"]
    assert chart.finding == "No bill is above its limit."
    chart = month_chart([month(8, 20, span=plain), month(9, 10, span=plain)])
    assert chart is not None
    assert [series.name for series in chart.series] == ["billed", "projected, median"]


@pytest.mark.parametrize("months", [[], [month(8, 200)], [month(8, None), month(9, None)]])
def test_too_little_is_not_drawn(months):
    assert month_chart(months) is None


def test_the_limit_of_the_months_is_a_line_and_a_bill_over_it_has_a_ring():
    chart = month_chart([month(8, 200, is_over=False), month(9, 10), month(10, None, span=None)])
    assert chart is not None
    assert [(line.name, line.value, line.is_limit) for line in chart.references] == [("limit of a month", 150.0, True)]
    billed = next(series for series in chart.series if series.name == "billed")
    assert [(point.is_chosen, point.note) for point in billed.points] == [
        (True, "Over its limit. The month is not over"),
        (False, ""),
    ]
    plain = month_chart([month(8, 20, span=None), month(9, 10, span=None)])
    assert plain is not None
    assert plain.references == ()
