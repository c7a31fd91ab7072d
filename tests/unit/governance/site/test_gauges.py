"""Where bars, marks and flags stand on a ruler."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.site.web.gauges import MeterPart, interval_gauge, meter_parts


def test_an_interval_with_a_limit_it_keeps():
    drawn = interval_gauge(
        value=Decimal(20), lower=Decimal(10), upper=Decimal(30), limit=Decimal(110), claim=Decimal(10)
    )
    # The scale runs from 0 (10 less a margin of 12 of 100 is below zero) to 122: 95 % for 122 units.
    assert drawn.start == pytest.approx(2.5 + 10 * 95 / 122, abs=0.01)
    assert drawn.length == pytest.approx(20 * 95 / 122, abs=0.01)
    assert drawn.value == pytest.approx(2.5 + 20 * 95 / 122, abs=0.01)
    assert drawn.limit == pytest.approx(2.5 + 110 * 95 / 122, abs=0.01)
    assert drawn.claim == drawn.start
    assert (drawn.is_breach, drawn.allowed_side) == (False, "left")


@pytest.mark.parametrize(
    ("lower", "upper", "limit", "is_upper", "breach"),
    [
        (10, 30, 30, True, False),
        (10, 31, 30, True, True),
        (10, 30, 10, False, False),
        (9, 30, 10, False, True),
    ],
)
def test_a_breach_is_any_part_beyond_the_limit(lower, upper, limit, is_upper, breach):
    drawn = interval_gauge(
        value=Decimal(20), lower=Decimal(lower), upper=Decimal(upper), limit=Decimal(limit), is_upper_limit=is_upper
    )
    assert drawn.is_breach is breach
    assert drawn.allowed_side == ("left" if is_upper else "right")


@pytest.mark.parametrize("value", ["0", "12", "-3"])
def test_a_bare_value_still_has_a_bar_one_can_see(value):
    drawn = interval_gauge(value=Decimal(value))
    assert drawn.length == 0.8
    assert (drawn.limit, drawn.claim, drawn.is_breach) == (None, None, False)


numbers = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False)


@example([Decimal("-20.3492"), Decimal(0), Decimal(0)], Decimal("0.0354"), Decimal("-325.3486"))
@given(st.lists(numbers, min_size=3, max_size=3).map(sorted), numbers, numbers)
def test_everything_drawn_lies_on_the_paper(bounds, limit, claim):
    lower, value, upper = bounds
    drawn = interval_gauge(value=value, lower=lower, upper=upper, limit=limit, claim=claim)
    places = [drawn.start, drawn.start + drawn.length, drawn.value, drawn.limit, drawn.claim]
    assert all(0 <= place <= 100 for place in places)
    assert drawn.start - 0.01 <= drawn.value <= drawn.start + drawn.length + 0.02


def test_a_meter_lays_parts_end_to_end():
    parts = meter_parts(
        total=Decimal(2000), parts=(("committed", Decimal(760)), ("reserved", Decimal(300)), ("this", Decimal(240)))
    )
    assert parts == (
        MeterPart("committed", 0.0, 38.0),
        MeterPart("reserved", 38.0, 15.0),
        MeterPart("this", 53.0, 12.0),
    )


def test_a_meter_that_overflows_says_so():
    assert meter_parts(total=Decimal(100), parts=(("committed", Decimal(90)), ("this", Decimal(30)))) == (
        MeterPart("committed", 0.0, 90.0),
        MeterPart("this", 90.0, 10.0),
        MeterPart("over", 98.5, 1.5),
    )


def test_nothing_is_not_drawn():
    assert meter_parts(total=Decimal(0), parts=(("committed", Decimal(1)),)) == ()
    assert meter_parts(total=Decimal(10), parts=(("committed", Decimal(0)), ("reserved", Decimal(-1)))) == ()
