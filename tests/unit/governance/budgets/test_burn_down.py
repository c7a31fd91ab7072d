"""The burn-down of an account: the amounts of each day, the expectation, and its chart."""

from datetime import date
from decimal import Decimal

import pytest

from governance.budgets.domain.burn_down import burn_down, burn_down_chart
from governance.budgets.domain.ledger import Balance
from governance.budgets.domain.quarters import Quarter

Q4 = Quarter(2026, 4)
CHANGES = [
    (date(2026, 9, 20), Decimal(1000)),
    (date(2026, 10, 12), Decimal(-150)),
    (date(2026, 10, 12), Decimal(-50)),
    (date(2026, 11, 1), Decimal(-92)),
]


def burned(today: date, *, this: str = "0", below: str = "0"):
    balance = Balance(
        allocated=Decimal(1000),
        committed=Decimal(200),
        spent=Decimal(92),
        unbound=Decimal(92),
        allocated_below=Decimal(below),
    )
    title, quarter = "Search, Money", Q4
    return burn_down(CHANGES, balance, title=title, unit="USD", quarter=quarter, today=today, this=Decimal(this))


def test_each_day_has_the_amount_available_at_its_end():
    found = burned(date(2026, 11, 15))
    assert found.available == (
        (date(2026, 10, 1), Decimal(1000)),
        (date(2026, 10, 12), Decimal(800)),
        (date(2026, 11, 1), Decimal(708)),
        (date(2026, 11, 15), Decimal(708)),
    )
    # 92 USD in 46 days are 2 USD a day, for 46 more days.
    assert (found.now, found.expected, found.expected_after) == (708, 616, 616)


def test_a_request_lowers_what_is_expected():
    found = burned(date(2026, 11, 15), this="700")
    assert (found.expected, found.expected_after) == (616, -84)
    chart = burn_down_chart(found)
    assert [series.name for series in chart.series] == ["available", "expected", "expected with this request"]
    assert [(point.x, point.y) for point in chart.series[2].points] == [(45, 8), (91, -84)]
    assert chart.value_scale.first < 0
    assert chart.finding == (
        "708.00 USD of 1,000.00 USD are available; 616.00 USD are expected on 31 Dec, and -84.00 USD with this request."
    )


def test_what_is_delegated_is_not_available():
    found = burned(date(2026, 11, 15), below="300")
    assert [amount for _, amount in found.available] == [700, 500, 408, 408]


@pytest.mark.parametrize(
    ("today", "last", "finding"),
    [
        (date(2027, 1, 5), date(2026, 12, 31), "708.00 USD of 1,000.00 USD were available when the quarter ended."),
        (
            date(2026, 12, 31),
            date(2026, 12, 31),
            "708.00 USD of 1,000.00 USD are available; 708.00 USD are expected on 31 Dec.",
        ),
    ],
)
def test_at_the_end_nothing_is_expected_any_more(today, last, finding):
    chart = burn_down_chart(burned(today, this="10" if today.year == 2027 else "0"))
    assert len(chart.series) == 1
    assert chart.series[0].points[-1].name == f"{last.day} {last:%b}"
    assert chart.finding == finding


def test_before_the_quarter_all_of_it_is_to_come():
    found = burned(date(2026, 9, 25))
    assert found.available == ((date(2026, 10, 1), Decimal(708)),)
    chart = burn_down_chart(found)
    assert [series.name for series in chart.series] == ["available", "expected"]
    assert [text for _, text in chart.x.ticks] == ["1 Oct", "1 Nov", "1 Dec", "31 Dec"]
