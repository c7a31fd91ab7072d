"""Ownership: present values by hand."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.ownership import Ownership, cost_by_month, total_cost
from weighbridge.costs.parts.traffic import TrafficTier
from weighbridge.costs.uncertainty import Range

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
            "egress": 1_000 * (1.1**-0.5 + 1.2 * 1.1**-1.5 + 1.2**2 * 1.1**-2.5),
            "licenses": 2_000 * flat,
            "audit": 3_000 * flat,
            "exit": 0.25 * 40_000 * 1.1**-2.5,
        }
    )


def test_without_discount_and_growth_it_is_a_plain_sum():
    plain = Ownership(development_usd=10, serving_usd=5, years=4, discount_rate=0)
    assert total_cost(plain).total_usd == pytest.approx(30)
    assert plain.annual_usd(30.0) == 7.5


@given(st.integers(1, 12), st.integers(1, 6), st.floats(-0.2, 0.4), st.floats(-0.3, 0.5))
def test_the_months_end_at_the_total_whatever_the_time_model(start, years, rate, growth):
    spec = dataclasses.replace(SPEC, start_month=start, years=years, discount_rate=rate, volume_growth=growth)
    months = cost_by_month(spec)
    assert len(months) == 12 * years
    assert months[-1] == pytest.approx(total_cost(spec).total_usd)
    assert (np.diff(months) >= 0).all()
    # Before the model is live nothing is paid but development and, where the last year is the first, the exit.
    before = months[: start - 1] if years > 1 else months[:0]
    assert before == pytest.approx([100_000.0] * len(before))


def test_an_endless_cost_starts_when_the_model_goes_live():
    spec = dataclasses.replace(SPEC, serving_usd=np.array([math.inf, 1.0]), start_month=3)
    months = cost_by_month(spec)
    assert months[:, :2].tolist() == [[100_000, 100_000]] * 2
    assert np.isinf(months[0, 2:]).all()
    assert np.isfinite(months[1]).all()


@given(st.floats(-0.5, 3), st.floats(0, 1_000))
def test_traffic_grows_with_the_volume_into_its_tiers(growth, gigabytes):
    tiers = (TrafficTier(usd_per_gb=0.0, up_to_gb=100.0), TrafficTier(usd_per_gb=0.09))
    spec = Ownership(
        development_usd=0,
        serving_usd=0,
        discount_rate=0,
        volume_growth=growth,
        egress_gb_per_month=gigabytes,
        egress_tiers=tiers,
        egress_usd=7,
    )
    volumes = [(1 + growth) ** year for year in range(3)]
    expected = sum(7 * volume + 12 * 0.09 * max(gigabytes * volume - 100, 0) for volume in volumes)
    assert total_cost(spec).usd["egress"] == pytest.approx(expected)


@given(st.integers(1, 12))
def test_what_goes_live_later_costs_less_to_run_in_the_first_year_alone(start):
    now, later = (total_cost(dataclasses.replace(SPEC, start_month=month, discount_rate=0)).usd for month in (1, start))
    left = (13 - start) / 12
    for name in ("maintenance", "retraining", "licenses", "audit"):
        assert later[name] == pytest.approx(now[name] / 3 * (2 + left))
    assert later["development"] == now["development"]
    assert later["exit"] == now["exit"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"years": 0}, "years"),
        ({"years": 31}, "years"),
        ({"discount_rate": 1.0}, "discount_rate"),
        ({"discount_rate": -0.6}, "discount_rate"),
        ({"start_month": 0}, "start_month"),
        ({"start_month": 13}, "start_month"),
        ({"volume_growth": -1.5}, "volume_growth"),
        ({"price_drift": Range(-2, 0.1)}, "price_drift"),
        ({"monitoring_share": 1.5}, "monitoring_share"),
        ({"switch_probability": 1.5}, "switch_probability"),
        ({"serving_usd": -1}, "serving_usd"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(SPEC, **change)
    assert refused.value.field == field
