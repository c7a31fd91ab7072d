"""Ownership: present values by hand."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.ownership import (
    Ownership,
    equivalent_annual_usd,
    total_cost,
)

SPEC = Ownership(
    development_usd=100_000,
    serving_usd=20_000,
    years=3,
    discount_rate=0.1,
    volume_growth=0.2,
    price_drift=-0.1,
    maintenance_fte=0.5,
    fte_usd=150_000,
    monitoring_share=0.1,
    retrainings_per_year=4,
    retraining_usd=500,
    egress_usd=1_000,
    license_usd=2_000,
    audit_usd=3_000,
    exit_usd=40_000,
    switch_probability=0.25,
)


def test_three_years_by_hand():
    flat = 1.1**-0.5 + 1.1**-1.5 + 1.1**-2.5
    rising = 1.1**-0.5 + 1.08 * 1.1**-1.5 + 1.08**2 * 1.1**-2.5
    assert total_cost(SPEC).usd == pytest.approx(
        {
            "development": 100_000,
            "training": 0,
            "serving": 20_000 * rising,
            "monitoring": 2_000 * rising,
            "maintenance": 75_000 * flat,
            "retraining": 2_000 * flat,
            "egress": 1_000 * flat,
            "licenses": 2_000 * flat,
            "audit": 3_000 * flat,
            "exit": 0.25 * 40_000 * 1.1**-2.5,
        }
    )


def test_without_discount_and_growth_it_is_a_plain_sum():
    plain = Ownership(development_usd=10, serving_usd=5, years=4, discount_rate=0)
    assert total_cost(plain).total_usd == pytest.approx(30)
    assert equivalent_annual_usd(30.0, years=4, discount_rate=0) == 7.5


@given(st.floats(1, 1e9), st.integers(1, 30), st.floats(0.001, 0.5))
def test_the_equivalent_annual_cost_has_the_same_present_value(total, years, rate):
    annual = equivalent_annual_usd(total, years=years, discount_rate=rate)
    assert sum(annual / (1 + rate) ** year for year in range(1, years + 1)) == pytest.approx(total)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"years": 0}, "years"),
        ({"years": 31}, "years"),
        ({"discount_rate": 1.0}, "discount_rate"),
        ({"discount_rate": -0.6}, "discount_rate"),
        ({"switch_probability": 1.5}, "switch_probability"),
        ({"serving_usd": -1}, "serving_usd"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(SPEC, **change)
    assert refused.value.field == field
