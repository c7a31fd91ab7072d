"""Verdicts of load tests: each reason, and that it is not raised without cause."""

import dataclasses

import numpy as np
import pytest

from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.plan import Arrivals, LoadPlan
from weighbridge.load.results.metrics import LoadMetrics, metrics_of
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome
from weighbridge.load.results.verdict import judge
from weighbridge.measure.conditions.interference import Interference

PLAN = LoadPlan(url="http://localhost/", rate_per_s=1000, duration_s=2)
REMOTE = {"is_co_located": False, "interference": None}


def calm(n=2000, *, lag_ms=0.1, wait_ms=0.0, failed=0, unsettled=0):
    due = np.arange(n, dtype=np.int64) * 1_000_000
    taken = due + int(lag_ms * 1e6)
    sent = taken + int(wait_ms * 1e6)
    done = sent + (np.random.default_rng(1).uniform(5, 10, n) * 1e6).astype(np.int64)
    outcome = np.full(n, RequestOutcome.ANSWERED, dtype=np.uint8)
    outcome[np.linspace(0, n - 1, failed, dtype=int)] = RequestOutcome.LOST
    outcome[n - unsettled :] = RequestOutcome.UNSETTLED
    sent[n - unsettled :] = done[n - unsettled :] = NEVER
    return LoadSamples(due, taken, sent, done, outcome)


def fired_of(samples, **changes):
    usual = {"samples": samples, "is_stopped": False, "lost_processes": 0, "opened": 2, "cpu_s": 0.1, "complaints": {}}
    return GeneratorResult(**(usual | changes))


def verdict_of(samples, *, plan=PLAN, circumstances=REMOTE, **changes):
    found = judge(plan, fired_of(samples, **changes), metrics_of(samples, duration_s=2.0, seed=1), **circumstances)
    return found.status.value, [reason.code for reason in found.reasons]


def test_a_calm_test_of_another_machine_is_valid():
    assert verdict_of(calm()) == ("valid", [])


@pytest.mark.parametrize(
    ("lag_ms", "limit_ms", "status"),
    [
        (0.9, None, "valid"),
        (1.5, None, "indicative"),
        (2.5, None, "invalid"),
        (2.5, 60.0, "valid"),
        (4.0, 60.0, "indicative"),
        (7.0, 60.0, "invalid"),
    ],
)
def test_the_generator_is_judged_beside_what_it_measures(lag_ms, limit_ms, status):
    plan = dataclasses.replace(PLAN, p99_limit_ms=limit_ms)
    found, codes = verdict_of(calm(lag_ms=lag_ms), plan=plan)
    assert found == status
    assert codes == ([] if status == "valid" else ["generator.lag"])


def test_few_failures_are_doubted_and_many_refused():
    assert verdict_of(calm(failed=10)) == ("indicative", ["errors.requests"])
    assert verdict_of(calm(failed=40)) == ("invalid", ["samples.unanswered", "errors.requests"])


def test_few_samples_are_refused():
    assert verdict_of(calm(500)) == ("invalid", ["samples.too_few"])
    assert verdict_of(calm(0)) == ("invalid", ["samples.too_few"])


def test_a_stop_is_told():
    assert verdict_of(calm(unsettled=500), is_stopped=True) == ("indicative", ["samples.stopped_early"])
    stopped = judge(
        PLAN,
        fired_of(calm(unsettled=500), is_stopped=True),
        metrics_of(calm(unsettled=500), duration_s=2.0, seed=1),
        **REMOTE,
    )
    assert stopped.reasons[0].message == (
        "The test was stopped: 500 of 2,000 requests were not sent or have no known outcome."
    )


def test_a_process_that_is_lost_is_no_measurement():
    assert verdict_of(calm(), lost_processes=1) == ("invalid", ["generator.lost_process"])


def test_response_times_that_grow_are_told_where_the_rate_is_steady():
    growing = calm()
    growing.done_ns[:] += np.arange(2000) * 50_000
    assert verdict_of(growing) == ("indicative", ["load.saturated"])
    growing.outcome[1000:] = RequestOutcome.LOST
    assert "load.saturated" in verdict_of(growing)[1]
    assert "load.saturated" not in verdict_of(calm(failed=1999))[1]
    growing.outcome[1000:] = RequestOutcome.ANSWERED
    ramp = dataclasses.replace(PLAN, arrivals=Arrivals.RAMP)
    users = dataclasses.replace(PLAN, rate_per_s=0, users=5)
    assert [verdict_of(growing, plan=plan) for plan in (ramp, users)] == [("valid", [])] * 2


def test_answers_that_are_streamed_are_told():
    assert verdict_of(calm(), streamed=3) == ("indicative", ["answers.streamed"])


def test_bodies_that_were_not_checked_count_as_those_that_were():
    samples = calm()
    samples.outcome[::10] = RequestOutcome.CHECKED
    samples.outcome[:40:10] = RequestOutcome.WRONG_ANSWER
    status, codes = verdict_of(samples)
    assert (status, codes) == ("invalid", ["samples.unanswered", "errors.requests"])
    found = judge(PLAN, fired_of(samples), metrics_of(samples, duration_s=2.0, seed=1), **REMOTE)
    assert found.reasons[1].message == (
        "4 of 2,000 requests failed (wrong_answer 4). With the bodies that were not checked, about 2.00% failed."
    )


def test_the_machine_is_judged():
    seen = Interference(
        others_cpus=0.0, steal_cpus=0.01, pressure_share=None, load_1min_before=None, canary_ratio=1.0, cpus=2
    )
    for steal, status in ((0.01, "valid"), (0.1, "indicative"), (0.6, "invalid"), (None, "valid")):
        here = REMOTE | {"interference": dataclasses.replace(seen, steal_cpus=steal)}
        assert verdict_of(calm(), circumstances=here)[0] == status
    assert verdict_of(calm(), circumstances=REMOTE | {"is_co_located": True}) == (
        "indicative",
        ["environment.co_located"],
    )


def test_without_a_metric_of_lag_there_is_nothing_to_say_of_it():
    found = judge(PLAN, fired_of(calm()), LoadMetrics({}, []), **REMOTE)
    assert [reason.code for reason in found.reasons] == ["samples.unanswered"]
