from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.bills.domain.variance.forecast import shrunk_bias, year_end
from weighbridge.core.errors import Invalid

PLAN = [Decimal(100)] * 12
SEASON = [Decimal(50 + 10 * number) for number in range(12)]


def test_without_bills_the_plan_is_the_forecast():
    found = year_end(PLAN, [])
    assert (found.expected, found.bias, found.low, found.high, found.naive) == (
        Decimal(1200),
        Decimal(1),
        None,
        None,
        None,
    )


def test_a_bias_is_drawn_towards_the_plan_by_hand():
    """Three months at 150 of 100: b = (450 + 200) / (300 + 200) = 1.3; 450 + 9 * 130."""
    found = year_end(PLAN, [Decimal(150)] * 3)
    assert (found.bias, found.expected) == (Decimal("1.3"), Decimal(1620))
    assert shrunk_bias(PLAN[:3], [Decimal(150)] * 3, mean=Decimal(100), weight=Decimal(0)) == Decimal("1.5")


def test_a_closed_year_is_what_it_came_to():
    found = year_end(PLAN, SEASON, year_before=PLAN)
    assert found.expected == found.low == found.high == found.naive == sum(SEASON)


def test_the_band_holds_the_months_own_ratios():
    steady = year_end(PLAN, [Decimal(110)] * 6)
    assert steady.low == steady.high == steady.expected
    nothing = year_end(PLAN, [Decimal(0)] * 3)
    assert (nothing.low, nothing.bias) == (None, Decimal("0.4"))
    wild = year_end(PLAN, [Decimal(amount) for amount in (50, 150, 80, 120, 60, 140)])
    assert wild.low < wild.expected < wild.high
    assert year_end(PLAN, [Decimal(50), Decimal(150)]).low is None


def test_the_same_seed_draws_the_same_band():
    actual = [Decimal(amount) for amount in ("41.17", "163.9", "80.31", "97.77", "120.01")]
    assert year_end(PLAN, actual, seed=1) == year_end(PLAN, actual, seed=1)
    assert year_end(PLAN, actual, seed=1) != year_end(PLAN, actual, seed=2)


def test_the_bar_is_the_year_before():
    assert year_end(PLAN, [Decimal(90)] * 2, year_before=SEASON).naive == 180 + sum(SEASON[2:])


def errors(planned, actual, *, year_before):
    """How far both forecasts of a closed year were off in all, made after each of its months but the last."""
    made = [year_end(planned, actual[:done], year_before=year_before) for done in range(1, 12)]
    truth = sum(actual)
    return sum(abs(each.expected - truth) for each in made), sum(abs(each.naive - truth) for each in made)


def test_a_plan_that_knows_the_season_beats_the_bar_and_one_that_does_not_may_lose():
    grown = [month * 2 for month in SEASON]
    ours, naive = errors([month * Decimal("1.8") for month in SEASON], grown, year_before=SEASON)
    assert ours < naive
    ours, naive = errors(PLAN, SEASON, year_before=SEASON)
    assert ours > naive == 0


@pytest.mark.parametrize(
    ("planned", "actual", "before"),
    [
        (PLAN[:11], [], []),
        (PLAN, PLAN + PLAN[:1], []),
        (PLAN, [], PLAN[:3]),
        ([Decimal(0)] * 12, [], []),
        ([Decimal(-1), *PLAN[1:]], [], []),
    ],
)
def test_what_is_no_year_is_refused(planned, actual, before):
    with pytest.raises(Invalid):
        year_end(planned, actual, year_before=before)


MONEY = st.decimals(1, 10**6, places=2)


@given(st.lists(MONEY, min_size=12, max_size=12), st.lists(MONEY, max_size=12))
def test_the_forecast_lies_between_plan_and_bills(planned, actual):
    found = year_end(planned, actual)
    assert found.expected >= sum(actual)
    plain = sum(actual) / sum(planned[: len(actual)]) if actual else Decimal(1)
    slack = Decimal("1e-20")
    assert min(plain, Decimal(1)) - slack <= found.bias <= max(plain, Decimal(1)) + slack
    if found.low is not None:
        assert sum(actual) <= found.low <= found.high
