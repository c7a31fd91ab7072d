"""Every reason, at both sides of its limit."""

import dataclasses

import numpy as np
import pytest

from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.loops.warmup import WarmUpReport
from weighbridge.measure.scenarios import SingleStream
from weighbridge.measure.verdict import Status, Verdict, machine_reasons, run_reasons

STEADY = np.tile(np.array([100, 101, 102, 103], dtype=np.int64), 50)
QUIET = Interference(0.0, 0.0, 0.0, 0.0, 1.0, cpus=2)
RUN = LatencyRun(STEADY, {}, 1.0, 5, WarmUpReport(40, 0.1, is_settled=True))


def verdict(*, run=None, quiet=None, governor="performance", threads=1):
    scenario, seen = SingleStream(min_samples=200, threads=threads), dataclasses.replace(QUIET, **(quiet or {}))
    reasons = run_reasons(dataclasses.replace(RUN, **(run or {})), scenario=scenario, minimum=130)
    return Verdict((*reasons, *machine_reasons(seen, governor=governor, threads=threads)))


def test_a_quiet_steady_run_is_valid():
    assert verdict().as_document() == {"status": "valid", "reasons": []}
    assert verdict(governor="not visible").status is Status.VALID


STEP = np.where(np.arange(4_000) < 3_300, 1.0, 1.15)


def moved(level):
    """Noise of 10 % around a level that moves."""
    return (1e6 * level * np.random.default_rng(1).lognormal(0, 0.1, len(level))).astype(np.int64)


CASES = {
    "too few for the headline": ({"run": {"latencies_ns": STEADY[:129]}}, "samples.too_few", "invalid"),
    "fewer than asked": ({"run": {"latencies_ns": STEADY[:130]}}, "samples.stopped_early", "indicative"),
    "never warm": ({"run": {"warmup": WarmUpReport(9, 1.0, is_settled=False)}}, "stability.warmup", "indicative"),
    "moves": ({"run": {"latencies_ns": moved(np.linspace(1.0, 1.15, 4_000))}}, "stability.trend", "indicative"),
    "steps": ({"run": {"latencies_ns": moved(STEP)}}, "stability.level_shift", "indicative"),
    "spreads": ({"run": {"latencies_ns": np.tile([100, 140], 100)}}, "stability.spread", "indicative"),
    "one failure": ({"run": {"failures": {"Fail": 1}}}, "errors.inference", "indicative"),
    "many failures": ({"run": {"failures": {"Fail": 3}}}, "errors.inference", "invalid"),
    "steal": ({"quiet": {"steal_cpus": 0.05}}, "interference.steal", "indicative"),
    "much steal": ({"quiet": {"steal_cpus": 0.51}}, "interference.steal", "invalid"),
    "others": ({"quiet": {"others_cpus": 0.86}}, "interference.processors", "indicative"),
    "others beside all threads": (
        {"quiet": {"others_cpus": 0.11}, "threads": 2},
        "interference.processors",
        "indicative",
    ),
    "load": ({"quiet": {"load_1min_before": 2.1}}, "interference.load", "indicative"),
    "pressure": ({"quiet": {"pressure_share": 0.26}}, "interference.pressure", "indicative"),
    "preempted": ({"quiet": {"preemptions_per_s": 51.0}}, "interference.preemptions", "indicative"),
    "canary": ({"quiet": {"canary_ratio": 1.3}}, "interference.canary", "indicative"),
    "dying canary": ({"quiet": {"canary_ratio": 4.1}}, "interference.canary", "invalid"),
    "more threads than processors": ({"threads": 3}, "environment.threads", "indicative"),
    "governor": ({"governor": "powersave"}, "environment.governor", "indicative"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_doubt_has_its_code_and_weight(case):
    given, code, status = case
    found = verdict(**given)
    assert [(reason.code, reason.status.value) for reason in found.reasons] == [(code, status)]
    assert found.status.value == status
    assert found.as_document()["reasons"][0]["message"] == found.reasons[0].message


@pytest.mark.parametrize(
    "given",
    [
        {
            "quiet": {
                "steal_cpus": 0.04,
                "others_cpus": 0.85,
                "load_1min_before": 2.0,
                "pressure_share": 0.25,
                "canary_ratio": 1.25,
            }
        },
        {"quiet": {"steal_cpus": None, "others_cpus": None, "load_1min_before": None, "pressure_share": None}},
        {"threads": 2},
    ],
)
def test_what_lies_at_its_limit_or_is_not_visible_raises_no_doubt(given):
    assert verdict(**given).reasons == ()


def test_a_movement_is_told_in_words():
    [reason] = verdict(run={"latencies_ns": moved(STEP)}).reasons
    assert reason.message.startswith("Latency stepped by +14% after 82% of the run (p = ")
    [reason] = verdict(run={"latencies_ns": moved(np.linspace(1.15, 1.0, 4_000))}).reasons
    assert reason.message.startswith("Latency changed steadily by -1")


def test_halves_that_differ_are_a_step_too():
    found = verdict(run={"latencies_ns": moved(np.repeat([1.0, 1.2], 2_000))})
    assert [reason.code for reason in found.reasons] == ["stability.drift", "stability.level_shift"]
    assert verdict(run={"latencies_ns": moved(np.repeat([1.0, 1.08], 2_000))}).reasons == ()


def test_samples_that_follow_each_other_bound_the_headline_less():
    bursts = np.exp(0.1 * np.repeat(np.random.default_rng(3).normal(size=12), 50))
    found = verdict(run={"latencies_ns": (1e6 * bursts).astype(np.int64)})
    assert "samples.dependent" in [reason.code for reason in found.reasons]
    assert "bound latency_p95_ms only at a level of " in found.reasons[0].message


def test_halves_at_the_limit_are_no_movement():
    found = verdict(run={"latencies_ns": np.repeat([100, 110], 100)})
    assert [reason.code for reason in found.reasons] == ["samples.dependent"]


def test_the_worst_reason_decides():
    found = verdict(run={"latencies_ns": STEADY[:10]}, governor="powersave")
    assert found.status is Status.INVALID
    assert [reason.code for reason in found.reasons] == ["samples.too_few", "environment.governor"]
    assert found.reasons[0].message == "10 samples cannot bound latency_p95_ms: it needs 130, 120 more."


def test_halves_that_lie_more_than_twofold_apart_are_no_measurement():
    def drift(first, second):
        found = verdict(run={"latencies_ns": np.repeat([first, second], 100)})
        return {reason.code: reason.status.value for reason in found.reasons}["stability.drift"], found.status

    assert drift(201, 100) == ("invalid", Status.INVALID)
    assert drift(200, 100) == ("indicative", Status.INDICATIVE)
