import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.bills.domain.variance.calibration import (
    ForecastCalibration,
    PastMonth,
    Widening,
    calibrate,
    widen_by,
    widened,
    widest,
)
from weighbridge.core.errors import Invalid


def case(billed, median=100, p90=150):
    return PastMonth(Decimal(median), Decimal(p90), Decimal(billed))


def test_figures_by_hand():
    found = calibrate([case(80), case(120), case(200)])
    assert (found.cases, found.bias, found.wape) == (3, Decimal(400) / 300, Decimal(140) / 300)
    assert found.coverage == Decimal(2) / 3
    assert (found.widening, found.is_mature) == (None, False)


def test_an_error_of_twelve_percent_is_mature():
    assert calibrate([case(112)]).is_mature
    assert not calibrate([case("112.01")]).is_mature


def test_nine_cases_are_needed_and_the_largest_of_nine_counts():
    cases = [case(100 + 10 * number) for number in range(9)]
    assert calibrate(cases[:8]).widening is None
    assert calibrate(cases).widening == Decimal(80) / 50
    assert widened(Decimal(100), Decimal(150), calibrate(cases)) == Decimal(180)


def test_a_range_is_never_narrowed():
    assert calibrate([case(90)] * 20).widening == 1


def test_cases_without_a_range_say_nothing_of_its_width():
    assert calibrate([case(100, 100, 100)] * 30).widening is None


def test_where_the_past_says_nothing_the_range_stays():
    assert calibrate([]) is None
    assert widened(Decimal(100), Decimal(150), None) == 150
    assert widened(Decimal(100), Decimal(150), ForecastCalibration(1, Decimal(1), Decimal(0), Decimal(1), None)) == 150


@pytest.mark.parametrize("faulty", [case(1, 0, 1), case(1, 2, 1), case(1, -1, 1)])
def test_what_is_no_range_is_refused(faulty):
    with pytest.raises(Invalid) as caught:
        calibrate([case(1), faulty])
    assert caught.value.field == "cases[1]"


@given(st.lists(st.builds(case, st.integers(0, 1000)), min_size=9, max_size=60))
def test_the_widened_range_would_have_held_nine_of_ten(cases):
    widening = calibrate(cases).widening
    held = sum(each.billed <= each.median + (each.p90 - each.median) * widening for each in cases)
    assert held >= 0.9 * len(cases)


def test_new_months_of_the_same_kind_stay_below_nine_times_in_ten():
    """A simulation apart from the formula: bills twice as scattered as their projections claim."""
    dice = random.Random(3)
    held, trials = 0, 2_000
    for _ in range(trials):
        *past, new = (case(100 + abs(dice.gauss(0, 80)) * dice.choice((1, -1)) * 0.999) for _ in range(20))
        held += new.billed <= widened(new.median, new.p90, calibrate(past))
    assert 0.88 < held / trials < 0.95


@pytest.mark.parametrize(
    ("factor", "quantile", "moved"),
    [
        ("1.6", 150, "180"),
        ("1.6", 80, "68"),
        (1, 150, "150"),
        (1, 80, "80"),
        (3, 100, "100"),
        (10, 80, "0"),
        (2, "-5", "-5"),  # no lower than zero, unless it was
    ],
)
def test_a_quantile_moves_away_from_the_median_by_the_factor(factor, quantile, moved):
    assert widen_by(Decimal(factor), median=Decimal(100), quantile=Decimal(quantile)) == Decimal(moved)


def test_a_factor_that_would_narrow_is_refused():
    with pytest.raises(Invalid, match="must be 1 or more") as caught:
        widen_by(Decimal("0.99"), median=Decimal(100), quantile=Decimal(150))
    assert caught.value.field == "factor"


MONEY = st.decimals(0, 10**9, places=2)
FACTORS = st.decimals(1, 1000, places=4)


@given(MONEY, MONEY, FACTORS)
def test_widening_never_narrows(median, quantile, factor):
    moved = widen_by(factor, median=median, quantile=quantile)
    assert abs(moved - median) >= abs(quantile - median)
    assert (moved >= median) if quantile >= median else (0 <= moved <= median)


@given(st.lists(MONEY, min_size=4, max_size=4).map(sorted), FACTORS, FACTORS)
def test_quantiles_stay_in_order_and_a_larger_factor_is_never_tighter(sorted_quantiles, one, other):
    low, median, p80, high = sorted_quantiles
    less, more = sorted((one, other))
    before = [widen_by(less, median=median, quantile=each) for each in (low, median, p80, high)]
    after = [widen_by(more, median=median, quantile=each) for each in (low, median, p80, high)]
    assert before == sorted(before)
    assert after == sorted(after)
    assert (after[0] <= before[0], after[1], after[2] >= before[2], after[3] >= before[3]) == (True, median, True, True)


def calibration(widening, cases=9):
    return ForecastCalibration(
        cases, Decimal(1), Decimal(0), Decimal(1), None if widening is None else Decimal(widening)
    )


def test_the_widest_that_is_known_counts_and_is_rounded_up():
    assert widest([]) is None
    assert widest([calibration(None)]) is None
    assert widest([calibration(2), calibration(None, 20), calibration("2.00001", 12)]) == Widening(
        Decimal("2.0001"), 12
    )


def test_what_the_past_asks_for_is_told_of_ranges_as_they_were_projected():
    filed = [PastMonth(Decimal(100), Decimal(150), Decimal(100 + 10 * number), Decimal(2)) for number in range(9)]
    projected = [PastMonth(Decimal(100), Decimal(125), Decimal(100 + 10 * number)) for number in range(9)]
    assert calibrate(filed).widening == calibrate(projected).widening == Decimal("3.2")
    assert calibrate(filed).coverage == Decimal(6) / 9
