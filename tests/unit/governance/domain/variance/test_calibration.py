import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.refusals import Invalid
from governance.domain.variance.calibration import Calibration, Case, calibrate, widened


def case(billed, middle=100, p90=150):
    return Case(Decimal(middle), Decimal(p90), Decimal(billed))


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
    assert widened(Decimal(100), Decimal(150), Calibration(1, Decimal(1), Decimal(0), Decimal(1), None)) == 150


@pytest.mark.parametrize("faulty", [case(1, 0, 1), case(1, 2, 1), case(1, -1, 1)])
def test_what_is_no_range_is_refused(faulty):
    with pytest.raises(Invalid) as caught:
        calibrate([case(1), faulty])
    assert caught.value.field == "cases[1]"


@given(st.lists(st.builds(case, st.integers(0, 1000)), min_size=9, max_size=60))
def test_the_widened_range_would_have_held_nine_of_ten(cases):
    widening = calibrate(cases).widening
    held = sum(each.billed <= each.middle + (each.p90 - each.middle) * widening for each in cases)
    assert held >= 0.9 * len(cases)


def test_new_months_of_the_same_kind_stay_below_nine_times_in_ten():
    """A simulation apart from the formula: bills twice as scattered as their projections claim."""
    dice = random.Random(3)
    held, trials = 0, 2_000
    for _ in range(trials):
        *past, new = (case(100 + abs(dice.gauss(0, 80)) * dice.choice((1, -1)) * 0.999) for _ in range(20))
        held += new.billed <= widened(new.middle, new.p90, calibrate(past))
    assert 0.88 < held / trials < 0.95
