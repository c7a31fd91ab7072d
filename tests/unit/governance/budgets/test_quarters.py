from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.quarters import Quarter, last_day, next_month
from weighbridge.core.errors import Invalid


@pytest.mark.parametrize(
    ("text", "start_on", "end_on"),
    [
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026Q2", date(2026, 4, 1), date(2026, 6, 30)),
        ("2026Q3", date(2026, 7, 1), date(2026, 9, 30)),
        ("2026q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_quarter_has_its_three_months(text, start_on, end_on):
    quarter = Quarter.parse(text)
    assert (quarter.start_on, quarter.end_on, str(quarter)) == (start_on, end_on, text.upper())
    first, second, last = quarter.months
    assert (first, next_month(first), next_month(second), next_month(last)) == (
        start_on,
        second,
        last,
        quarter.next.start_on,
    )


def test_neighbors_cross_the_year():
    assert Quarter(2026, 4).next == Quarter(2027, 1)
    assert Quarter(2026, 1).previous == Quarter(2025, 4)
    assert Quarter(2025, 4) < Quarter(2026, 1)


def test_an_instant_belongs_to_its_quarter_in_utc():
    early = datetime(2026, 10, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert Quarter.of(early) == Quarter(2026, 3)


@pytest.mark.parametrize(
    "text", ["2026Q5", "2026Q0", "26Q1", "2026-Q1", "", "\N{ARABIC-INDIC DIGIT TWO}026Q1", "2026Q1x"]
)
def test_other_spellings_are_refused(text):
    with pytest.raises(Invalid, match="Write it like 2026Q4"):
        Quarter.parse(text)


@pytest.mark.parametrize(("year", "number"), [(2026, 0), (2026, 5), (1, 1), (9999, 1)])
def test_there_is_no_such_quarter(year, number):
    with pytest.raises(Invalid, match="no quarter"):
        Quarter(year, number)


@given(st.dates(min_value=date(3, 1, 1), max_value=date(9997, 12, 31)))
def test_every_day_lies_in_exactly_its_quarter(day):
    quarter = Quarter.of(day)
    assert quarter.start_on <= day <= quarter.end_on
    assert quarter.next.start_on == quarter.end_on + timedelta(days=1)
    assert quarter.next.previous == quarter == Quarter.parse(str(quarter))


def test_the_last_month_of_the_calendar_has_no_next():
    assert next_month(date(9998, 12, 31)) == date(9999, 1, 1)
    with pytest.raises(Invalid):
        next_month(date(9999, 12, 31))


@given(st.dates(max_value=date(9998, 12, 31)))
def test_the_day_after_it_is_in_the_next_month(day):
    last = last_day(day)
    assert (last.year, last.month) == (day.year, day.month)
    assert (last + timedelta(days=1)).day == 1
