from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.bills.domain.variance.split import MonthUsage, Split, cents, exact_parts, split
from weighbridge.core.errors import Invalid


def month(requests, units, usd):
    return MonthUsage(Decimal(requests), Decimal(units), Decimal(usd))


def test_each_part_alone():
    plan = month(1000, 10, 100)
    assert split(plan, month(2000, 20, 200)) == Split(Decimal("100.00"), Decimal("0.00"), Decimal("0.00"))
    assert split(plan, month(1000, 15, 150)) == Split(Decimal("0.00"), Decimal("50.00"), Decimal("0.00"))
    assert split(plan, month(1000, 10, 130)) == Split(Decimal("0.00"), Decimal("0.00"), Decimal("30.00"))


def test_all_parts_together_by_hand():
    """Q 1000 -> 1200, u 0.01 -> 0.012, p 10 -> 9: 200*0.01*10, 1200*0.002*10, 1200*0.012*-1."""
    found = split(month(1000, 10, 100), month(1200, "14.4", "129.6"))
    assert found == Split(Decimal("20.00"), Decimal("24.00"), Decimal("-14.40"))
    assert found.total == Decimal("29.60")


def test_a_month_without_requests_or_without_use():
    assert split(month(1000, 10, 100), month(0, 0, 0)) == Split(Decimal("-100.00"), Decimal("0.00"), Decimal("0.00"))
    idle = split(month(1000, 10, 100), month(0, 5, 50))
    assert idle == Split(Decimal("-100.00"), Decimal("50.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    ("plan", "actual", "field"),
    [
        (month(0, 1, 1), month(1, 1, 1), "planned.requests"),
        (month(1, 0, 1), month(1, 1, 1), "planned.units"),
        (month("NaN", 1, 1), month(1, 1, 1), "planned.requests"),
        (month(1, 1, 1), month(-1, 1, 1), "actual.requests"),
        (month(1, 1, 1), month(1, -1, 1), "actual.units"),
    ],
)
def test_what_cannot_be_split_is_refused(plan, actual, field):
    with pytest.raises(Invalid) as caught:
        split(plan, actual)
    assert caught.value.field == field


def test_cents_are_rounded_half_to_even():
    assert [cents(Fraction(value, 1000)) for value in (5, 15, -5, 25)] == [
        Decimal(x) for x in ("0.00", "0.02", "0.00", "0.02")
    ]


AMOUNTS = st.decimals(Decimal("0.0001"), 10**9, places=4)
MONTHS = st.builds(MonthUsage, AMOUNTS, AMOUNTS, st.decimals(0, 10**9, places=6))


@given(MONTHS, MONTHS)
def test_the_parts_add_up_exactly(plan, actual):
    whole = Fraction(actual.usd) - Fraction(plan.usd)
    assert sum(exact_parts(plan, actual)) == whole
    assert split(plan, actual).total == cents(whole)


@given(MONTHS, MONTHS)
def test_the_parts_are_those_of_the_formula(plan, actual):
    q_p, q_a = Fraction(plan.requests), Fraction(actual.requests)
    u_p, u_a = Fraction(plan.units) / q_p, Fraction(actual.units) / q_a
    p_p, p_a = Fraction(plan.usd) / Fraction(plan.units), Fraction(actual.usd) / Fraction(actual.units)
    wanted = ((q_a - q_p) * u_p * p_p, q_a * (u_a - u_p) * p_p, q_a * u_a * (p_a - p_p))
    assert exact_parts(plan, actual) == wanted


@given(MONTHS, MONTHS, st.sampled_from([Decimal(1000), Decimal("0.001")]))
def test_the_unit_of_the_resource_means_nothing(plan, actual, factor):
    def scaled(one):
        return MonthUsage(one.requests, one.units * factor, one.usd)

    assert exact_parts(scaled(plan), scaled(actual)) == exact_parts(plan, actual)
