"""Worked examples of the methods' sources, to the cent, and oracles that know none of our code."""

import dataclasses

import numpy as np
import numpy_financial
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.builders import drawn
from tests.unit.toolkit.costs.simulation import response_times
from weighbridge.costs.metrics import money
from weighbridge.costs.parts import training
from weighbridge.costs.parts.load_curve import curve_of_counts, curve_of_year, weekly_shape
from weighbridge.costs.parts.managed import ManagedApi, managed_cost
from weighbridge.costs.parts.ownership import Ownership, total_cost
from weighbridge.costs.parts.queueing import enough, erlang_c, highest_loads_of, response_tail
from weighbridge.costs.parts.serving import SelfHosted, cost_per_1k_usd, serving_cost, size
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.parts.work import Transformer
from weighbridge.costs.uncertainty import Range, levels_of

REPLICA = SelfHosted(service_s=0.12, limit_s=0.5, usd_per_replica_h=1.006, slots=4, min_replicas=2, lag_h=0, burst=1.1)


def servers_for(offered):
    """The fewest servers that answer 95 % of a load (Erlang) within the limit of `REPLICA`, tried one by one."""
    most = enough(offered, service_s=0.12, limit_s=0.5, share=0.95, cv=1.0)
    servers = np.arange(1.0, most + 1)
    loads = highest_loads_of(servers, np.array([0.12]), limit_s=0.5, share=0.95, cv=1.0).ravel()
    return int(np.searchsorted(loads, offered, side="left")) + 1


def year_of_hours(requests):
    """The 8,760 hours of a year that begins on a Monday: ± 75 % around noon, weekends at 60 %."""
    hours = np.arange(8_760)
    day = 1 + 0.75 * np.cos(2 * np.pi * (hours % 24 - 14) / 24)
    shape = day * np.where(hours // 24 % 7 >= 5, 0.6, 1.0)
    return curve_of_counts(shape / shape.sum() * requests)


def test_two_thousand_million_requests_cost_26_706_dollars_autoscaled_with_a_tenth_to_spare():
    cost = serving_cost(year_of_hours(2e9), REPLICA)
    assert cost.quantities["replica_hours"] == 26_547
    assert money(cost.total_usd) == "26706.28"
    assert money(cost.quantities["always_at_peak_usd"]) == "44062.80"
    assert 1 - cost.total_usd / cost.quantities["always_at_peak_usd"] == pytest.approx(0.39, abs=0.005)
    assert cost_per_1k_usd(cost.total_usd, 2e9) == pytest.approx(0.0134, abs=5e-5)


def test_each_hour_by_the_recursion_of_erlang_gives_the_same_replicas():
    def wait_probability(servers, offered):
        blocked = 1.0
        for k in range(1, servers + 1):
            blocked = offered * blocked / (k + offered * blocked)
        return blocked / (1 - offered / servers * (1 - blocked))

    def late(servers, offered):
        # P(T > t) = e^{-mu t} [1 + C (1 - e^{-mu t (c-1-a)}) / (c-1-a)]
        gap, decay = servers - 1 - offered, 0.5 / 0.12
        return np.exp(-decay) * (1 + wait_probability(servers, offered) * (1 - np.exp(-decay * gap)) / gap)

    curve = year_of_hours(2e9)
    replica_h = 0
    for rate in curve.rates_per_s[:168]:
        offered = rate * 1.1 * 0.12
        servers = int(offered) + 1
        while late(servers, offered) > 0.05:
            servers += 1
        replica_h += max(2, -(-servers // 4))
    assert size(curve_of_counts(curve.rates_per_s[:168] * 3_600), REPLICA).replicas @ size(
        curve_of_counts(curve.rates_per_s[:168] * 3_600), REPLICA
    ).hours == pytest.approx(replica_h * 8_760 / 168)


def test_the_api_of_the_same_example_costs_540_000_dollars_and_breaks_even_at_the_floor():
    prices = ModelPrices(input_usd=0.15, output_usd=0.60)
    api = managed_cost(ManagedApi(requests_per_year=2e9, prices=prices, input_tokens=1_000, output_tokens=200))
    assert money(api.total_usd) == "540000.00"
    assert money(cost_per_1k_usd(api.total_usd, 2e9)) == "0.27"
    assert 2 * 1.006 * 8_760 / (api.total_usd / 2e9) == pytest.approx(65.3e6, rel=1e-3)


def test_doubt_spreads_the_example_as_far_as_its_source_says():
    doubtful = dataclasses.replace(
        REPLICA, service_s=Range(0.10, 0.144), volume=Range(0.7, 1.4), usd_per_replica_h=Range(0.85, 1.15)
    )
    levels = levels_of(serving_cost(year_of_hours(2e9), drawn(doubtful, n=2_000)).total_usd)
    assert 18_000 < levels["p10"] < 25_000 < levels["p50"] < 28_500 < levels["p90"] < 37_000


def test_twelve_instance_hours_of_gpu_training_by_hand():
    # 1e9 parameters, 2e10 tokens at 40 % of 312 TFLOP/s: 1.2e20 / 1.248e14 / 3600 = 267.09 GPU hours.
    hours = Transformer(parameters=1e9, tokens=2e10, peak_flops_per_s=312e12, utilization=0.4).gpu_hours
    assert hours == pytest.approx(267.0940, abs=1e-4)
    spec = training.Training(
        gpu_hours=hours,
        usd_per_gpu_h=2.74470525,
        failed_share=0.05,
        idle_share=0.05,
        trials=10,
        trial_share=0.1,
        preemptions_per_h=0.05,
        checkpoint_every_h=1,
        restart_h=0.1,
        storage_usd=20,
        labeling_usd=1_000,
        engineer_hours=40,
        engineer_usd_per_h=100,
    )
    # 267.0940 · (1 + 0.05 · 0.6) · 1.1 · (1 + 10 · 0.1) = 605.2350 GPU hours at 2.74470525
    cost = training.training_cost(spec)
    assert money(cost.quantities["gpu_hours"]) == "605.24"
    assert money(cost.total_usd) == money(605.2350427350427 * 2.74470525 + 20 + 1_000 + 4_000)


@given(st.floats(0.001, 0.5), st.integers(1, 30), st.floats(1, 1e6), st.floats(0, 1e6))
def test_present_values_are_those_of_numpy_financial(rate, years, yearly, once):
    spec = Ownership(development_usd=once, serving_usd=yearly, years=years, discount_rate=rate)
    # npv counts its first element at once; flows at the middle of the year are discounted half a year less.
    flows = numpy_financial.npv(rate, [0.0] + [yearly] * years) * (1 + rate) ** 0.5 + once
    total = total_cost(spec).total_usd
    assert total == pytest.approx(float(flows))
    # pmt pays at the end of each year; a payment at the middle of the year is discounted half a year less.
    payment = -numpy_financial.pmt(rate, years, total) / (1 + rate) ** 0.5
    assert spec.annual_usd(total) == pytest.approx(float(payment))


@pytest.mark.parametrize("cached", [0, 400])
def test_tokens_cost_what_genai_prices_says(cached):
    import genai_prices

    usage = genai_prices.Usage(input_tokens=1_000, cache_read_tokens=cached, output_tokens=200)
    found = genai_prices.calc_price(usage, model_ref="gpt-4o-mini", provider_id="openai")
    own = managed_cost(
        ManagedApi(
            requests_per_year=1,
            prices=ModelPrices(input_usd=0.15, output_usd=0.60, cache_read_usd=0.075),
            input_tokens=1_000 - cached,
            cache_read_tokens=cached,
            output_tokens=200,
        )
    )
    assert own.total_usd == pytest.approx(float(found.total_price))


@pytest.mark.parametrize(("servers", "load"), [(4, 0.8), (10, 0.9), (2, 0.6)])
def test_the_tail_is_that_of_a_queue_of_events(servers, load):
    service_s, limit_s = 0.1, 0.15
    rate = servers * load / service_s
    times = response_times(
        servers=servers, rate_per_s=rate, service=lambda rng, n: rng.exponential(service_s, n), requests=120_000, seed=5
    )
    tail = response_tail(limit_s, servers=servers, rate_per_s=rate, service_s=service_s)
    assert (times > limit_s).mean() == pytest.approx(tail, abs=0.02)


def test_fourteen_positions_are_those_of_the_textbook_call_center():
    # 100 calls in half an hour of 3 minutes each: 10 Erlang; 14 positions answer 88.84 % within 20 s, 17.41 % wait.
    wait = float(erlang_c(14, 10.0))
    assert wait == pytest.approx(0.1741, abs=5e-5)
    assert 1 - wait * np.exp(-(14 - 10) * 20 / 180) == pytest.approx(0.8884, abs=5e-5)


@given(st.floats(0.1, 300))
def test_groups_of_servers_are_the_servers_rounded_up(offered):
    curve = curve_of_counts([offered / 0.12 / 1.1 * 3_600] * 24)
    servers = servers_for(offered)
    assert size(curve, REPLICA).replicas.tolist() == [max(2, -(-servers // 4))]


def test_beyond_512_replicas_numbers_rise_in_small_steps_and_never_short():
    curve = curve_of_year(3e11, shape=weekly_shape(day_swing=0, weekend=1))
    exact = servers_for(float(curve.rates_per_s[0]) * 1.1 * 0.12)
    assert -(-exact // 4) > 300
    (many,) = set(size(curve, dataclasses.replace(REPLICA, slots=1)).replicas.tolist())
    assert exact <= many <= exact * (1 + 1 / 256) + 1


def test_spot_takes_its_share_of_the_hours_beyond_the_commitment():
    spot = dataclasses.replace(REPLICA, spot_usd_per_h=0.4, spot_share=0.5, spot_extra=0.1)
    plain, cost = serving_cost(year_of_hours(2e9), REPLICA), serving_cost(year_of_hours(2e9), spot)
    assert cost.usd["spot"] == pytest.approx(26_547 / 2 * 1.1 * 0.4)
    assert cost.usd["on demand"] == pytest.approx(plain.total_usd / 2)
    every = dataclasses.replace(spot, spot_share=1.0)
    assert serving_cost(year_of_hours(2e9), every).usd["on demand"] == 0


def test_a_commitment_is_weighed_against_what_spot_costs():
    cheap = dataclasses.replace(REPLICA, committed_usd_per_h=0.65, spot_usd_per_h=0.3, spot_share=1.0)
    assert serving_cost(year_of_hours(2e9), cheap).quantities["committed_replicas"] == 0
    assert (
        serving_cost(year_of_hours(2e9), dataclasses.replace(cheap, spot_share=0.0)).quantities["committed_replicas"]
        == 2
    )
