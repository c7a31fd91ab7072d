"""Where bars, marks and flags stand on a ruler."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.site.web.gauges import BudgetMeter, MeterPart, interval_gauge, meter_parts


def test_an_interval_with_a_limit_it_keeps():
    drawn = interval_gauge(
        value=Decimal(20), lower=Decimal(10), upper=Decimal(30), limit=Decimal(110), claim=Decimal(10)
    )
    # The scale runs from 0 to 125: 95 % for 125 units.
    assert (drawn.first, drawn.last) == (0, 125)
    assert drawn.start == pytest.approx(2.5 + 10 * 95 / 125, abs=0.01)
    assert drawn.length == pytest.approx(20 * 95 / 125, abs=0.01)
    assert drawn.value == pytest.approx(2.5 + 20 * 95 / 125, abs=0.01)
    assert drawn.limit == pytest.approx(2.5 + 110 * 95 / 125, abs=0.01)
    assert drawn.claim == drawn.start
    assert (drawn.is_breach, drawn.allowed_side) == (False, "left")


@pytest.mark.parametrize(
    ("lower", "upper", "limit", "comparator", "breach"),
    [
        (10, 30, 30, "at_most", False),
        (10, 31, 30, "at_most", True),
        (10, 30, 10, "at_least", False),
        (9, 30, 10, "at_least", True),
        (10, 29, 30, "below", False),
        (10, 30, 30, "below", True),
        (11, 30, 10, "above", False),
        (10, 30, 10, "above", True),
    ],
)
def test_a_breach_is_any_part_beyond_the_limit(lower, upper, limit, comparator, breach):
    drawn = interval_gauge(
        value=Decimal(20),
        lower=Decimal(lower),
        upper=Decimal(upper),
        limit=Decimal(limit),
        comparator=comparator,
    )
    assert drawn.is_breach is breach
    assert drawn.allowed_side == ("left" if comparator in {"at_most", "below"} else "right")


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


def test_a_share_is_shown_where_it_lies():
    drawn = interval_gauge(value=Decimal("0.91"), lower=Decimal("0.90"), upper=Decimal("0.92"), is_share=True)
    assert (drawn.first, drawn.last) == (Decimal("0.895"), Decimal("0.925"))


def test_a_meter_lays_parts_end_to_end():
    meter = meter_parts(
        total=Decimal(2000), parts=(("committed", Decimal(760)), ("reserved", Decimal(300)), ("this", Decimal(240)))
    )
    assert meter == BudgetMeter(
        (MeterPart("committed", 0.0, 38.0), MeterPart("reserved", 38.0, 15.0), MeterPart("this", 53.0, 12.0))
    )


def test_a_meter_that_overflows_is_drawn_to_scale():
    meter = meter_parts(total=Decimal(100), parts=(("committed", Decimal(90)), ("this", Decimal(35))))
    assert meter == BudgetMeter(
        (MeterPart("committed", 0.0, 72.0), MeterPart("this", 72.0, 8.0), MeterPart("over", 80.0, 20.0)), 80.0
    )


def test_spending_without_a_budget_is_all_overrun():
    assert meter_parts(total=Decimal(0), parts=(("committed", Decimal(1)),)) == BudgetMeter(
        (MeterPart("over", 0.0, 100.0),), 0.0
    )


def test_nothing_is_not_drawn():
    assert meter_parts(total=Decimal(0), parts=(("committed", Decimal(0)),)) == BudgetMeter(())
    assert meter_parts(total=Decimal(10), parts=(("committed", Decimal(0)), ("reserved", Decimal(-1)))) == BudgetMeter(
        ()
    )


amounts = st.decimals(min_value=0, max_value=10**9, places=2)


@given(amounts, st.lists(amounts, max_size=5))
def test_all_lengths_of_a_meter_have_one_scale(total, parts):
    meter = meter_parts(total=total, parts=[("spent", amount) for amount in parts])
    scale = max(total, sum(parts))
    over = max(sum(parts) - total, Decimal(0))
    lengths = {kind: sum(part.length for part in meter.parts if part.kind == kind) for kind in ("spent", "over")}
    if scale:
        assert lengths["over"] == pytest.approx(float(over / scale * 100), abs=0.03)
        assert lengths["spent"] == pytest.approx(float(min(sum(parts), total) / scale * 100), abs=0.03)


def test_meters_with_the_same_reach_can_be_compared():
    def length(used, reach):
        parts = (("spent", Decimal(used)),)
        return sum(part.length for part in meter_parts(total=Decimal(100), parts=parts, reach=Decimal(reach)).parts)

    assert [length(used, "2.55") for used in (255, 101, 50)] == [100.0, 39.61, 19.61]
    assert [length(used, 90) for used in (9_000, 255, 101)] == [100.0, 63.75, 25.25]
    assert meter_parts(total=Decimal(100), parts=(("spent", Decimal(50)),), reach=Decimal(2)).total == 50.0
    assert meter_parts(total=Decimal(100), parts=(("spent", Decimal(50)),), reach=Decimal("0.5")).total is None


@given(
    spans=st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 900), st.integers(0, 900)), min_size=2, max_size=4),
)
def test_the_gauges_of_a_row_share_their_scale(spans: list[tuple[int, int, int]]) -> None:
    values = [(Decimal(low), Decimal(low + up), Decimal(low + up + more)) for low, up, more in spans]
    ends = [end for each in values for end in each]
    drawn = [interval_gauge(lower=low, value=middle, upper=high, beside=ends) for low, middle, high in values]
    assert len({(each.first, each.last) for each in drawn}) == 1
    pairs = sorted((middle, each.value) for (_, middle, _), each in zip(values, drawn, strict=True))
    places = [place for _, place in pairs]
    assert places == sorted(places)
