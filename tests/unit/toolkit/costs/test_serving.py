"""Serving: the worked check of the method's source, brute force over commitments, and monotony."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusals import has_code
from tests.unit.toolkit.costs.builders import drawn
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.endpoint import EndpointServing, endpoint_cost
from weighbridge.costs.parts.load_curve import LoadCurve, curve_of_counts, curve_of_year
from weighbridge.costs.parts.serving import SelfHosted, Sizing, cost_per_1k_usd, serving_cost, size
from weighbridge.costs.uncertainty import Range, levels_of

SPEC = SelfHosted(service_s=0.12, limit_s=0.5, usd_per_replica_h=1.006, slots=4, min_replicas=2)
YEAR = curve_of_year(2e9)


def test_two_thousand_million_requests_on_a_g5_xlarge():
    # 120 ms on 4 slots at 1.006 USD/h, p95 within 500 ms: five replicas at the peak, 44,063 USD if kept all year.
    cost = serving_cost(YEAR, SPEC)
    assert cost.quantities["peak_replicas"] == 5
    assert cost.quantities["always_at_peak_usd"] == pytest.approx(44_062.8)
    assert 24_000 < cost.total_usd < 27_500  # the source's own shape of day gives 26,706
    assert cost_per_1k_usd(cost.total_usd, 2e9) == pytest.approx(cost.total_usd / 2e6)
    assert cost.quantities["replica_hours"] * 1.006 == pytest.approx(cost.total_usd)


def test_an_hour_is_sized_for_what_comes_before_new_replicas_do():
    curve = LoadCurve(np.array([1.0, 1.0, 100.0, 1.0]), 8_760 / 4)
    prompt = size(curve, dataclasses.replace(SPEC, lag_h=0, min_replicas=0))
    late = size(curve, dataclasses.replace(SPEC, lag_h=1, min_replicas=0))
    assert prompt.replicas.tolist() == late.replicas.tolist()  # the busy hour and the quiet ones
    assert (prompt.hours.tolist(), late.hours.tolist()) == ([2_190, 3 * 2_190], [2 * 2_190, 2 * 2_190])


def test_nothing_to_serve_needs_the_least_replicas():
    curve = curve_of_counts([0.0] * 23 + [3600.0])
    sizing = size(curve, dataclasses.replace(SPEC, min_replicas=0, lag_h=0))
    assert sizing.replicas.tolist() == [1.0, 0.0]
    assert sizing.hours.tolist() == [365, 23 * 365]


TOKENS = dataclasses.replace(SPEC, service_s=None, tokens_per_s=2_000, tokens_per_request=300, lag_h=0, min_replicas=1)


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.lists(st.floats(0.1, 50), min_size=1, max_size=9))
def test_continuous_batching_is_sized_by_the_measured_tokens_of_a_replica(speed, tokens, rates):
    curve = LoadCurve(np.array(rates), 8_760 / len(rates))
    spec = dataclasses.replace(TOKENS, tokens_per_s=speed, tokens_per_request=tokens)
    needed = sum(max(np.ceil(rate * tokens / speed), 1) for rate in rates) * 8_760 / len(rates)
    cost = serving_cost(curve, spec)
    assert cost.quantities["replica_hours"] == pytest.approx(needed)
    assert cost.total_usd == pytest.approx(needed * 1.006)
    drawn_cost = serving_cost(curve, dataclasses.replace(spec, tokens_per_s=np.array([speed, speed * 2])))
    assert drawn_cost.total_usd[0] == pytest.approx(cost.total_usd)
    assert drawn_cost.total_usd[1] <= drawn_cost.total_usd[0]


def test_what_is_said_of_continuous_batching():
    assert serving_cost(YEAR, SPEC).notes == {}
    assert "not from a queue" in serving_cost(YEAR, TOKENS).notes["continuous batching"]
    queued = dataclasses.replace(SPEC, batching="continuous")
    assert "(M/M/c), which does not fit" in serving_cost(YEAR, queued).notes["continuous batching"]
    endpoint = endpoint_cost(YEAR, EndpointServing(replicas=queued), requests_per_year=2e9)
    assert endpoint.notes == serving_cost(YEAR, queued).notes


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"service_s": None}, "service_s"),
        ({"tokens_per_s": 5, "tokens_per_request": 5}, "service_s"),
        ({"service_s": None, "tokens_per_s": 5}, "tokens_per_request"),
        ({"tokens_per_request": 5}, "tokens_per_request"),
        ({"service_s": None, "tokens_per_s": 0, "tokens_per_request": 5}, "tokens_per_s"),
        ({"service_s": None, "tokens_per_s": Range(0, 5), "tokens_per_request": 5}, "tokens_per_s"),
        ({"batching": "dynamic"}, "batching"),
    ],
)
def test_a_replica_has_one_speed(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(SPEC, **change)
    assert refused.value.field == field


sizings = st.lists(st.tuples(st.integers(0, 12), st.floats(1, 500)), min_size=1, max_size=12).map(
    lambda drawn: Sizing(np.array([float(count) for count, _ in drawn]), np.array([hours for _, hours in drawn]))
)


@given(sizings, st.floats(0.05, 1.2))
def test_no_other_commitment_is_cheaper(sizing, ratio):
    def cost(committed):
        return committed * sizing.hours.sum() * ratio + float(sizing.hours_beyond(float(committed)))

    chosen = float(sizing.cheapest_commitment(ratio))
    assert cost(chosen) <= min(cost(count) for count in range(14)) + 1e-6


def test_more_rates_than_168_are_taken_together_and_never_short():
    curve = curve_of_year(2e9, monthly_growth=0.02)
    together = size(curve, dataclasses.replace(SPEC, lag_h=0))
    exact = size(curve_of_counts(np.sort(curve.rates_per_s)[:168] * 3_600), dataclasses.replace(SPEC, lag_h=0))
    assert len(together.replicas) == 168
    assert together.hours.sum() == pytest.approx(8_760)
    assert together.peak >= exact.peak
    assert (np.diff(together.replicas) <= 0).all()


def test_a_commitment_that_saves_is_made_and_shown():
    cost = serving_cost(YEAR, dataclasses.replace(SPEC, committed_usd_per_h=0.65))
    assert cost.quantities["committed_replicas"] == 2
    assert cost.usd["committed"] == pytest.approx(2 * 8_760 * 0.65)
    assert cost.total_usd < serving_cost(YEAR, SPEC).total_usd


@given(st.floats(1, 3), st.sampled_from(["service_s", "volume", "burst"]))
def test_slower_or_busier_never_needs_fewer(factor, name):
    more = dataclasses.replace(SPEC, **{name: getattr(SPEC, name) * factor ** (0.2 if name == "service_s" else 1)})
    assert (size(YEAR, more).replicas >= size(YEAR, SPEC).replicas).all()


def test_draws_are_sized_one_by_one_and_rounded_up_a_little():
    spec = drawn(dataclasses.replace(SPEC, service_s=Range(0.1, 0.14), volume=Range(0.8, 1.25)), n=50)
    together = serving_cost(YEAR, spec)
    each = np.array(
        [
            serving_cost(YEAR, dataclasses.replace(SPEC, service_s=float(service), volume=float(volume))).total_usd
            for service, volume in zip(spec.service_s, spec.volume, strict=True)
        ]
    )
    assert (together.total_usd >= each - 1e-6).all()
    assert (together.total_usd <= each * 1.10).all()
    assert together.quantities["unserved_probability"] == 0


def test_draws_that_nothing_serves_cost_infinitely_much_and_are_counted():
    spec = drawn(dataclasses.replace(SPEC, service_s=Range(0.08, 0.2), committed_usd_per_h=0.65, volume=0.01), n=2_000)
    cost = serving_cost(YEAR, spec)
    share = cost.quantities["unserved_probability"]
    assert 0.05 < share < 0.3
    assert np.isinf(cost.total_usd).mean() == share
    assert levels_of(cost.total_usd)["p50"] < 100_000


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slots": 0}, "slots"),
        ({"min_replicas": -1}, "min_replicas"),
        ({"lag_h": -1}, "lag_h"),
        ({"share": 1.0}, "share"),
        ({"limit_s": 0}, "limit_s"),
        ({"burst": 0.5}, "burst"),
        ({"cv": -1}, "cv"),
        ({"service_s": -1.0}, "service_s"),
        ({"service_s": 0}, "service_s"),
        ({"spot_share": 0.5}, "spot_usd_per_h"),
        ({"spot_share": 1.5, "spot_usd_per_h": 1.0}, "spot_share"),
    ],
)
def test_what_cannot_serve_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(SPEC, **change)
    assert refused.value.field == field


def test_a_model_slower_than_the_limit_is_refused():
    with pytest.raises(Invalid, check=has_code("load_unserved")):
        size(YEAR, dataclasses.replace(SPEC, service_s=0.4))
