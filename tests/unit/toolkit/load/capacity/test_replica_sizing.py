"""From the curve to replicas: exact numbers, each reason, and how replicas change with the demand."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.refusals import has_code
from tests.unit.toolkit.load.capacity.builders import SHARES, runs
from weighbridge.core.errors import Invalid
from weighbridge.load.capacity.goodput import goodput_curve
from weighbridge.load.capacity.replica_sizing import Demand, SizingBasis, replicas_for, size_for
from weighbridge.load.capacity.runs_files import RunsFiles
from weighbridge.measure.verdict import Status

CURVE = goodput_curve(runs())
NOTHING = RunsFiles(())


def codes(sizing):
    return [reason.code for reason in sizing.verdict.reasons]


def curve_of(rates):
    """The curve with these draws of the highest rate."""
    return dataclasses.replace(CURVE, highest_rates_per_s=np.array(rates))


@pytest.mark.parametrize(
    ("rate", "peak", "balance", "spare", "replicas"),
    [(2.5, 20, 0.9, 1, 10), (2.5, 20, 1.0, 0, 8), (2.5, 20.01, 1.0, 0, 9), (0.1, 0.3, 1.0, 2, 5), (3, 0.1, 0.5, 0, 1)],
)
def test_replicas_are_the_peak_over_what_one_serves(rate, peak, balance, spare, replicas):
    assert replicas_for(rate, Demand(peak_per_s=peak, balance=balance, spare=spare)) == replicas


def test_replicas_follow_from_the_lower_bound_and_the_quantiles_of_the_rate():
    rates = np.linspace(1.0, 2.0, 1_001)
    sizing = size_for(curve_of(rates), Demand(peak_per_s=100, balance=1.0, spare=1), NOTHING)
    expected = {p: math.ceil(100 / (1 + p)) + 1 for p in (0.05, 0.1, 0.5, 0.9, 0.95)}
    assert (sizing.replicas, sizing.fewest) == (expected[0.05], expected[0.95])
    assert (sizing.p10, sizing.p50, sizing.p90) == (expected[0.9], expected[0.5], expected[0.1])
    assert (sizing.basis, codes(sizing)) == (SizingBasis.MEASURED, [])


@given(st.floats(0.5, 1e4), st.floats(1.0, 3.0), st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_more_load_never_needs_fewer_replicas(peak, factor, spare):
    one, more = (size_for(CURVE, Demand(peak_per_s=rate, spare=spare), NOTHING) for rate in (peak, peak * factor))
    assert one.fewest <= one.p10 <= one.p50 <= one.p90 <= one.replicas <= more.replicas
    tighter = size_for(CURVE, Demand(peak_per_s=peak, balance=0.5, spare=spare), NOTHING)
    assert one.replicas <= tighter.replicas


def test_few_rates_and_one_seed_near_the_highest_are_stated():
    few = goodput_curve(runs({rate: SHARES[rate][:1] for rate in (1.8, 2.4, 2.8, 3.2)}))
    sizing = size_for(few, Demand(peak_per_s=20), NOTHING)
    assert codes(sizing) == ["rates.few", "runs.one_seed"]
    assert sizing.verdict.status is Status.INDICATIVE
    assert "at 2.4 per second, the runs have 1 seed;" in sizing.verdict.reasons[1].message
    assert size_for(CURVE, Demand(peak_per_s=20), NOTHING).verdict.status is Status.VALID


def test_two_seeds_near_the_highest_are_few_and_elsewhere_enough():
    near = {rate: shares[:2] if rate in (2.6, 2.8) else shares[:1] for rate, shares in SHARES.items()}
    assert codes(size_for(goodput_curve(runs(near)), Demand(peak_per_s=20), NOTHING)) == ["runs.few_seeds"]


def test_a_target_that_is_missed_everywhere_has_no_number():
    sizing = size_for(goodput_curve(runs(), target=0.9999), Demand(peak_per_s=20), NOTHING)
    assert (sizing.replicas, sizing.p90) == (None, None)
    assert (sizing.verdict.status, codes(sizing)) == (Status.INVALID, ["target.missed"])
    assert "lowest measured rate" in sizing.verdict.reasons[0].message


def test_a_target_that_is_met_everywhere_gives_an_upper_bound():
    low = {rate: SHARES[rate] for rate in (0.9, 1.2, 1.5, 1.8, 2.4) if rate in SHARES} | {1.2: (1.0,), 1.5: (1.0,)}
    sizing = size_for(goodput_curve(runs(low)), Demand(peak_per_s=24, balance=1.0, spare=0), NOTHING)
    assert (sizing.replicas, sizing.fewest) == (10, 10)
    assert codes(sizing) == ["rate.not_found"]
    assert "even 2.4 per second" in sizing.verdict.reasons[0].message


def test_a_share_of_draws_beyond_the_ends_is_stated_above_one_in_twenty():
    rates = [0.0] * 4 + [2.0] * 92 + [math.inf] * 4
    assert codes(size_for(curve_of(rates), Demand(peak_per_s=20), NOTHING)) == []
    rates = [0.0] * 6 + [2.0] * 88 + [math.inf] * 6
    both = size_for(curve_of(rates), Demand(peak_per_s=20), NOTHING)
    assert codes(both) == ["target.missed", "rate.not_found"]
    assert (both.replicas, both.p50, both.fewest) == (None, 13, math.ceil(20 / (3.2 * 0.9)) + 1)


def test_less_load_than_was_measured_is_extrapolated():
    sizing = size_for(CURVE, Demand(peak_per_s=0.5), NOTHING)
    assert (sizing.replicas, sizing.basis, codes(sizing)) == (2, SizingBasis.EXTRAPOLATED, ["rate.extrapolated"])
    assert "0.5 requests per second, below 0.9" in sizing.verdict.reasons[0].message


MEANS = {"input_tokens_mean": 600.0}


@pytest.mark.parametrize(
    ("planned", "measured", "expected"),
    [
        ({"input_tokens_mean": 650.0}, MEANS, []),
        ({"input_tokens_mean": 700.0}, MEANS, ["workload.differs"]),
        ({"input_tokens_mean": 500.0}, MEANS, ["workload.differs"]),
        ({"output_tokens_mean": 500.0}, MEANS, ["workload.unknown"]),
        ({}, MEANS, []),
    ],
)
def test_another_mix_of_lengths_is_extrapolated(planned, measured, expected):
    sizing = size_for(CURVE, Demand(peak_per_s=20, mean_tokens=planned), RunsFiles((), mean_tokens=measured))
    assert codes(sizing) == expected
    assert sizing.basis is (SizingBasis.EXTRAPOLATED if expected else SizingBasis.MEASURED)


def test_indicative_runs_are_stated():
    doubtful = RunsFiles((), doubts=("cache.unknown", "environment.co_located"))
    (reason,) = size_for(CURVE, Demand(peak_per_s=20), doubtful).verdict.reasons
    assert (reason.code, reason.status) == ("runs.indicative", Status.INDICATIVE)
    assert "cache.unknown, environment.co_located" in reason.message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"peak_per_s": 0}, "peak_rate"),
        ({"peak_per_s": math.inf}, "peak_rate"),
        ({"balance": 0}, "balance"),
        ({"balance": 1.01}, "balance"),
        ({"spare": -1}, "spare"),
        ({"spare": 1_000_001}, "spare"),
        ({"mean_tokens": {"input_tokens_mean": 0}}, "input_tokens_mean"),
        ({"mean_tokens": {"input_tokens_mean": math.nan}}, "input_tokens_mean"),
    ],
)
def test_a_demand_that_cannot_be_is_refused(changes, field):
    with pytest.raises(Invalid) as refused:
        Demand(**{"peak_per_s": 20, **changes})
    assert refused.value.field == field


def test_a_peak_beyond_any_fleet_is_refused():
    with pytest.raises(Invalid, check=has_code("replicas_many")):
        size_for(CURVE, Demand(peak_per_s=1e9), NOTHING)
