"""Lock-in, endpoints and the sources of GPU hours: by hand."""

import dataclasses
from datetime import date

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.endpoint import EndpointServing, Serverless, endpoint_cost, serverless_cost
from weighbridge.costs.parts.load_curve import curve_of_counts
from weighbridge.costs.parts.lock_in import LockIn, Scores, exit_cost
from weighbridge.costs.parts.serving import SelfHosted
from weighbridge.costs.parts.traffic import TrafficTier, tiered_usd
from weighbridge.costs.parts.work import Network, OwnedHardware, Pilot, Transformer

TIERS = (
    TrafficTier(usd_per_gb=0.0, up_to_gb=100),
    TrafficTier(usd_per_gb=0.09, up_to_gb=10_000),
    TrafficTier(usd_per_gb=0.085),
)
LEAVING = LockIn(
    reembed_tokens=2e9,
    reembed_usd=0.02,
    refine_usd=500,
    rework_hours=100,
    code_hours=50,
    engineer_usd_per_h=120,
    egress_gb=12_000,
    egress_tiers=TIERS,
    parallel_months=2,
    parallel_usd_per_month=3_000,
    termination_usd=1_000,
)
SCORES = Scores(
    data_portability=1, api_dependency=5, feature_exclusivity=3, switching_effort=3, alternatives=3, knowledge=3
)


def test_leaving_part_by_part():
    assert exit_cost(LEAVING).usd == pytest.approx(
        {
            "embedding again": 40,
            "fine-tuning again": 500,
            "prompts and evaluations": 12_000,
            "code": 6_000,
            "moving data out": 9_900 * 0.09 + 2_000 * 0.085,
            "running both": 6_000,
            "termination": 1_000,
        }
    )


def test_tiers_carry_draws_too():
    assert tiered_usd(np.array([50.0, 100.0, 200.0, 10_100.0]), TIERS).tolist() == pytest.approx([0, 0, 9, 899.5])


def test_the_score_is_the_mean_on_a_hundred():
    assert SCORES.out_of_100 == 50
    every = dict.fromkeys((field.name for field in dataclasses.fields(Scores)), 1)
    assert Scores(**every).out_of_100 == 0
    assert Scores(**dict.fromkeys(every, 5)).out_of_100 == 100
    with pytest.raises(Invalid, match="not 0"):
        dataclasses.replace(SCORES, knowledge=0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"egress_tiers": ()}, "egress_tiers"),
        ({"egress_tiers": (TrafficTier(usd_per_gb=1), TrafficTier(usd_per_gb=1))}, "egress_tiers"),
        ({"egress_tiers": (TrafficTier(usd_per_gb=1, up_to_gb=5),)}, "egress_tiers"),
        ({"egress_tiers": (TrafficTier(usd_per_gb=-1),)}, "egress_tiers"),
        (
            {
                "egress_tiers": (
                    TrafficTier(usd_per_gb=1, up_to_gb=5),
                    TrafficTier(usd_per_gb=1, up_to_gb=4),
                    TrafficTier(usd_per_gb=1),
                )
            },
            "egress_tiers",
        ),
        ({"forced_migration": date(2027, 1, 1)}, "forced_by"),
        ({"switch_probability": 2}, "switch_probability"),
        ({"code_hours": -1}, "code_hours"),
    ],
)
def test_leaving_that_makes_no_sense_is_refused(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(LEAVING, **change)
    assert refused.value.field == field


def test_an_endpoint_adds_storage_and_traffic_to_its_replicas():
    curve = curve_of_counts([3_600.0] * 24)
    replicas = SelfHosted(service_s=0.01, limit_s=0.2, usd_per_replica_h=1.4084, min_replicas=2)
    spec = EndpointServing(replicas=replicas, storage_gb=50, usd_per_gb_month=0.14, kb_per_request=20, usd_per_gb=0.016)
    cost = endpoint_cost(curve, spec, requests_per_year=31_536_000)
    assert cost.usd == pytest.approx(
        {
            "committed": 0,
            "on demand": 2 * 8_760 * 1.4084,
            "spot": 0,
            "storage": 2 * 50 * 0.14 * 12,
            "traffic": 31_536_000 * 20 / 1e6 * 0.016,
        }
    )


def test_calls_without_a_server_are_paid_by_memory_and_time():
    spec = Serverless(
        memory_gb=2,
        duration_s=0.05,
        usd_per_gb_s=2e-5,
        kb_per_request=10,
        usd_per_gb=0.016,
        provisioned=1,
        provisioned_usd_per_gb_s=5e-6,
    )
    assert serverless_cost(spec, requests_per_year=1e7).usd == pytest.approx(
        {"calls": 20.0, "kept warm": 2 * 5e-6 * 31_536_000, "traffic": 1e8 / 1e6 * 0.016}
    )
    with pytest.raises(Invalid, match="memory_gb"):
        dataclasses.replace(spec, memory_gb=-1)


def test_gpu_hours_have_three_sources():
    assert Transformer(
        parameters=1e9, tokens=2e10, peak_flops_per_s=312e12, utilization=0.4
    ).gpu_hours == pytest.approx(267.0940, abs=1e-4)
    assert Network(
        forward_flops=4e9, samples=1.2e6, epochs=90, peak_flops_per_s=1e14, utilization=0.5
    ).gpu_hours == pytest.approx(7.2)
    assert Pilot(samples=36_000, epochs=10, samples_per_gpu_s=100).gpu_hours == 1


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Transformer(parameters=1, tokens=1, peak_flops_per_s=0), "peak_flops_per_s"),
        (lambda: Network(forward_flops=1, samples=1, epochs=1, peak_flops_per_s=1, utilization=0), "utilization"),
        (lambda: Pilot(samples=1, epochs=1, samples_per_gpu_s=0), "samples_per_gpu_s"),
        (
            lambda: OwnedHardware(value_at_start_usd=1, power_kw=1, usd_per_kwh=1, interconnect_share=1.0),
            "interconnect_share",
        ),
    ],
)
def test_work_that_never_ends_is_refused(make, field):
    with pytest.raises(Invalid) as refused:
        make()
    assert refused.value.field == field


def test_own_hardware_is_the_formula_of_its_source():
    own = OwnedHardware(value_at_start_usd=30_000, power_kw=1.0, usd_per_kwh=0.1)
    assert own.usd_per_gpu_h == pytest.approx(30_000 * 0.14 * 2.302585 / 8_760 / 0.9 + 0.12, rel=1e-6)
