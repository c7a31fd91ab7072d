"""The cost of training and of a year over the quarters of an authorization: to the cent, and nothing lost."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.quarterly_split import DAYS_A_YEAR, split_by_quarter
from governance.budgets.domain.quarters import Quarter
from weighbridge.core.errors import Invalid

D = Decimal
CENTS = st.integers(0, 10**12).map(lambda cents: D(cents) / 100)
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def split(amount, once="0", start_on=date(2026, 10, 1), days=365):
    found = split_by_quarter(amount=D(amount), once=D(once), start_on=start_on, days=days)
    return [(str(quarter), str(share)) for quarter, share in found.items()]


def test_a_year_from_the_first_day_of_a_quarter_falls_into_four():
    assert split("36500") == [
        ("2026Q4", "9200.00"),
        ("2027Q1", "9000.00"),
        ("2027Q2", "9100.00"),
        ("2027Q3", "9200.00"),
    ]


def test_training_belongs_to_the_first_quarter_and_the_rest_to_its_days():
    assert split("46100", "9600", date(2026, 11, 26)) == [
        ("2026Q4", "13200.00"),
        ("2027Q1", "9000.00"),
        ("2027Q2", "9100.00"),
        ("2027Q3", "9200.00"),
        ("2027Q4", "5600.00"),
    ]


@pytest.mark.parametrize(
    ("amount", "once", "days", "expected"),
    [
        ("100", "100", 365, [("2026Q4", "100.00")]),
        ("100", "250", 365, [("2026Q4", "100.00")]),  # a claim of more than the whole
        ("365", "-1", 92, [("2026Q4", "92.00")]),
        ("365", "0", 93, [("2026Q4", "92.00"), ("2027Q1", "1.00")]),
        ("465", "100", 180, [("2026Q4", "192.00"), ("2027Q1", "88.00")]),  # training is paid in full
        ("100", "0", 1, [("2026Q4", "0.27")]),
        ("0.01", "0", 182, []),
        ("0.01", "0", 183, [("2027Q2", "0.01")]),
        ("0.02", "0", 365, [("2027Q3", "0.02")]),  # less than a cent for each: the last takes it
        ("0", "0", 365, []),
    ],
)
def test_at_the_edges(amount, once, days, expected):
    assert split(amount, once, days=days) == expected


def test_no_more_than_a_year_counts():
    assert split("100", days=900) == split("100", days=DAYS_A_YEAR)


@pytest.mark.parametrize(("amount", "days"), [("-0.01", 1), ("1", 0)])
def test_what_cannot_be_spread_is_refused(amount, days):
    with pytest.raises(Invalid) as refusal:
        split(amount, days=days)
    assert refusal.value.field == "amount"


@given(amount=CENTS, once=CENTS, start_on=DAYS, days=st.integers(1, 800))
def test_the_shares_add_up_to_the_cost_of_the_days_and_stay_within_the_authorization(amount, once, start_on, days):
    found = split_by_quarter(amount=amount, once=once, start_on=start_on, days=days)
    paid_once, counted = min(once, amount), min(days, DAYS_A_YEAR)
    assert abs(sum(found.values()) - paid_once - (amount - paid_once) * counted / DAYS_A_YEAR) <= D("0.005")
    assert counted < DAYS_A_YEAR or sum(found.values()) == amount
    assert all(share > 0 and share == share.quantize(D("0.01")) for share in found.values())
    quarters = list(found)
    assert quarters == sorted(quarters)
    last = Quarter.of(start_on + timedelta(days=counted - 1))
    assert all(Quarter.of(start_on) <= quarter <= last for quarter in quarters)


@given(rest=CENTS, once=CENTS, start_on=DAYS, days=st.integers(1, 365))
def test_each_share_is_within_cents_of_its_days(rest, once, start_on, days):
    found = split_by_quarter(amount=rest + once, once=once, start_on=start_on, days=days)
    for quarter, share in found.items():
        start, end = max(quarter.start_on, start_on), min(quarter.next.start_on, start_on + timedelta(days=days))
        exact = rest * (end - start).days / DAYS_A_YEAR + (once if quarter == Quarter.of(start_on) else 0)
        assert abs(share - exact) < D("0.06")


@given(amount=CENTS, start_on=DAYS, days=st.lists(st.integers(1, 365), min_size=2, max_size=2))
def test_a_longer_authorization_never_takes_less(amount, start_on, days):
    shorter, longer = (
        sum(split_by_quarter(amount=amount, once=D(0), start_on=start_on, days=each).values()) for each in sorted(days)
    )
    assert shorter <= longer
