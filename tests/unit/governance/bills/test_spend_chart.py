"""Spend as a chart: months by team, the others together, and a link to each month."""

from datetime import date
from decimal import Decimal

from governance.bills.charts import MONTHS_MAX, spend_chart

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


def test_months_are_stacked_by_team_the_costliest_first():
    chart = spend_chart(
        [
            (AUGUST, "search", "Search", Decimal(20)),
            (JULY, "search", "Search", Decimal(10)),
            (JULY, "fraud", "Fraud", Decimal(50)),
            (JULY, "", "", Decimal(1)),
            (AUGUST, "search", "Search", Decimal(5)),
        ]
    )
    assert chart is not None
    assert chart.is_stacked
    assert chart.x.labels == ("Jul 2026", "Aug 2026")
    assert [series.name for series in chart.series] == ["Fraud", "Search", "Unallocated"]
    assert [[point.y for point in series.points] for series in chart.series] == [[50, 0], [10, 25], [1, 0]]
    assert [point.href for point in chart.series[0].points] == ["?month=2026-07-01", "?month=2026-08-01"]
    assert chart.finding == "Aug 2026: 25.00 USD, 36.00 USD less than in Jul 2026."


def test_teams_beyond_the_first_five_are_one_series():
    amounts = [
        (month, f"team-{place}", f"team {place}", Decimal(10 - place)) for place in range(8) for month in (JULY, AUGUST)
    ]
    chart = spend_chart(amounts)
    assert chart is not None
    assert [series.name for series in chart.series] == [*(f"team {place}" for place in range(5)), "All others"]
    assert [point.y for point in chart.series[-1].points] == [12, 12]
    assert chart.finding == "Aug 2026: 52.00 USD, the same as in Jul 2026."


def test_teams_of_one_name_and_of_the_names_of_other_series_stay_apart():
    teams = [("", ""), ("ml-a", "ML"), ("ml-b", "ML"), ("rest", "All others"), ("none", "Unallocated"), ("x", "X")]
    amounts = [(month, *team, Decimal(9 - place)) for place, team in enumerate(teams) for month in (JULY, AUGUST)]
    chart = spend_chart(amounts)
    assert chart is not None
    assert [(series.name, series.points[0].y) for series in chart.series] == [
        ("Unallocated", 9),
        ("ML (ml-a)", 8),
        ("ML (ml-b)", 7),
        ("All others (rest)", 6),
        ("Unallocated (none)", 5),
        ("All others", 4),
    ]


def test_the_latest_months_are_shown_and_one_month_is_none():
    months = [date(2020 + number // 12, number % 12 + 1, 1) for number in range(30)]
    chart = spend_chart([(month, "search", "Search", Decimal(place + 1)) for place, month in enumerate(months)])
    assert chart is not None
    assert len(chart.x.labels) == MONTHS_MAX
    assert chart.x.labels[-1] == f"{months[-1]:%b %Y}"
    assert chart.finding.endswith("1.00 USD more than in May 2022.")
    assert spend_chart([(JULY, "search", "Search", Decimal(1))]) is None
    assert spend_chart([]) is None
