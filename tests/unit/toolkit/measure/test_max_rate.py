"""The search for the highest rate, run on a queue that is simulated: M/D/1, whose answer is known."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.optimize import brentq  # noqa: TID253 -- an oracle

from weighbridge.measure.deadline import Deadline
from weighbridge.measure.loops.arrivals import schedule_ns
from weighbridge.measure.scenarios import ProfileSettings, Server, SingleStream
from weighbridge.measure.studies.max_rate import MaxRateSettings, NoServiceTime, find_max_rate

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MANIFEST = {"model": {"digest": "sha256:ab"}, "digest": "old"}


def metric(value, unit="ms"):
    return {"value": value, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": unit}


class Queue:
    """Answers every query in the same time; its runs look like profiles."""

    def __init__(self, service_ms, *, doubts=(), errors=0.0, clock=None, takes_s=0.0, lag_ms=0.0):
        self.lag_ms = lag_ms
        self.clock, self.takes_s = clock, takes_s
        self.service_ms, self.doubts, self.errors, self.asked, self.seed = service_ms, list(doubts), errors, [], 0

    def __call__(self, settings, on_progress):
        self.asked.append(settings)
        if self.clock is not None:
            self.clock.now_s += self.takes_s
        on_progress(0.5, "measuring")
        scenario = settings.scenario
        metrics = {"latency_p50_ms": metric(self.service_ms), "error_rate": metric(self.errors, "ratio")}
        limit, response = None, np.array([])
        if isinstance(scenario, Server):
            self.seed += 1
            response = self.responses_ms(scenario)
            metrics["response_time_p99_ms"] = metric(float(np.quantile(response, 0.99)))
            metrics["generator_lag_p99_ms"] = metric(self.lag_ms)
            over = int((response > scenario.limit_ms).sum())
            limit = {"is_met": over == 0, "over": over, "n": len(response)}
        reasons = [{"code": code, "status": "invalid", "message": f"{code}."} for code in self.doubts]
        return {
            "metrics": metrics,
            "limit": limit,
            "verdict": {"reasons": reasons},
            "manifest": MANIFEST,
            "samples": {"response_ns": (response * 1e6).tolist()},
        }

    def responses_ms(self, scenario):
        dues = (
            schedule_ns(Server(rate_per_s=scenario.rate_per_s, min_samples=scenario.min_samples, seed=self.seed)) / 1e6
        )
        ready, responses = 0.0, []
        for due in dues:
            ready = max(ready, due) + self.service_ms
            responses.append(ready - due)
        return np.array(responses)


class Clock:
    """Seconds that pass as a queue is asked."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


def find(queue, *, limit_ms=30.0, samples=2_000, within_s=60.0):
    steps, deadline = [], Deadline(within_s, queue.clock or Clock())
    settings = ProfileSettings(scenario=Server(threads=2, seed=9))
    document = find_max_rate(
        queue,
        settings=settings,
        limits=MaxRateSettings(limit_ms=limit_ms, samples=samples, deadline=deadline),
        on_progress=lambda *step: steps.append(step),
        now=NOW,
    )
    return document, steps


def md1_rate(*, service_s, limit_s):
    """Return the rate at which 1 % of an M/D/1 queue's answers take longer than the limit.

    The tail of the wait is (1 - r) / (r e^x - 1) e^(-x t / s) for large t, with x the root of x = r (e^x - 1).
    """

    def late(load):
        x = brentq(lambda x: load * (math.exp(x) - 1) - x, 1e-6, 20)
        return (1 - load) / (load * math.exp(x) - 1) * math.exp(-x * (limit_s - service_s) / service_s)

    return brentq(lambda load: late(load) - 0.01, 0.2, 0.95) / service_s


def test_the_rate_of_a_queue_is_found():
    queue = Queue(5.0)
    document, steps = find(queue)
    truth = md1_rate(service_s=0.005, limit_s=0.030)
    assert document["highest_rate_per_s"]["value"] == pytest.approx(truth, rel=0.06)
    assert document["reason"] == "bracketed"
    assert document["highest_rate_per_s"]["lower"] * 0.97 < truth < document["highest_rate_per_s"]["upper"] * 1.03
    assert document["confirmed_at_lower"]["n"] == 4_000
    assert document["schema"] == "weighbridge.max_rate/1"
    assert document["verdict"] == {"status": "valid", "reasons": []}
    assert [note["code"] for note in document["notes"]] == ["answers.unchecked"]
    assert document["manifest"]["digest"] != "old"
    assert json.loads(json.dumps(document)) == document
    assert isinstance(queue.asked[0].scenario, SingleStream)
    assert {settings.scenario.threads for settings in queue.asked} == {2}
    assert [share for share, _ in steps] == sorted(share for share, _ in steps)
    assert (steps[0][1], steps[-1][1][-30:]) == (
        "timing one query, at most 60 s left",
        " per second, at most 60 s left",
    )
    assert (document["is_partial"], document["manifest"]["within_s"]) == (False, 60.0)


def test_a_limit_below_the_service_time_is_never_met():
    document, _ = find(Queue(5.0), limit_ms=1.0, samples=700)
    assert (document["reason"], document["confirmed_at_lower"]) == ("no_pass_in_range", None)
    assert (document["at_least_per_s"], document["at_most_per_s"]) == (None, pytest.approx(0.2))


def test_queries_that_fail_do_not_count_as_fast():
    assert find(Queue(5.0, errors=0.1), samples=700)[0]["reason"] == "no_pass_in_range"


def test_doubtful_trials_are_named():
    document, _ = find(Queue(5.0, doubts=["generator.lag"]), samples=700)
    assert document["reason"] == "bracketed"
    assert [(each["code"], each["status"]) for each in document["verdict"]["reasons"]] == [
        ("generator.lag", "indicative")
    ]


@pytest.mark.parametrize("code", ["environment.threads", "interference.steal", "interference.canary", "generator.lag"])
def test_a_limit_of_the_measuring_program_is_none_of_the_model(code):
    """The queue misses the limit above 190 per second, but only because of the program."""
    lag_ms = 1_000.0 if code == "generator.lag" else 0.0
    queue = Queue(5.0, doubts=[code], lag_ms=lag_ms)
    document, _ = find(queue, samples=700)
    assert (document["reason"], document["highest_rate_per_s"]) == ("client_limit", None)
    assert document["confirmed_at_lower"] is None
    assert document["verdict"]["status"] == "invalid"
    assert (document["verdict"]["reasons"][0]["code"], document["verdict"]["reasons"][0]["status"]) == (code, "invalid")
    rates = [settings.scenario.rate_per_s for settings in queue.asked[1:]]
    if code == "environment.threads":
        assert (rates, document["at_least_per_s"]) == ([50.0], None), "no rate is tried twice, and none is known"
    else:
        assert rates == [50.0, 100.0, 200.0, 200.0, 200.0], "a disturbance may pass"
        assert (document["at_least_per_s"], document["trials"][-1]["rate_per_s"]) == (100.0, 100.0)


def test_a_disturbance_that_passes_does_not_end_the_search():
    class Once(Queue):
        def __call__(self, settings, on_progress):
            self.doubts = ["interference.steal"] if len(self.asked) == 4 else []
            return super().__call__(settings, on_progress)

    document, _ = find(Once(5.0), samples=700)
    assert (document["reason"], document["verdict"]["status"]) == ("bracketed", "indicative")


def test_a_queue_that_grows_is_no_rate_that_can_be_served():
    """A limit so long that 700 queries above the capacity of 200 per second do not reach it."""
    document, _ = find(Queue(5.0), limit_ms=10_000.0, samples=700)
    assert document["highest_rate_per_s"]["lower"] < 200 < document["highest_rate_per_s"]["value"] < 220
    assert document["reason"] == "cliff"


def test_a_limit_that_no_trial_misses_gives_a_lower_bound():
    class Instant(Queue):
        def responses_ms(self, scenario):
            return np.full(scenario.min_samples, 1.0)

    document, _ = find(Instant(5.0), samples=700)
    assert (document["reason"], document["highest_rate_per_s"]) == ("no_failure_in_range", None)
    assert document["at_least_per_s"] == 300.0
    assert [reason["code"] for reason in document["verdict"]["reasons"]] == ["search.range"]


def test_a_model_that_cannot_be_timed_has_no_rate():
    class Broken(Queue):
        def __call__(self, settings, on_progress):
            reasons = [{"status": "invalid", "message": "It has no size."}, {"status": "indicative", "message": "No."}]
            return {"metrics": {}, "manifest": MANIFEST, "verdict": {"reasons": reasons}}

    with pytest.raises(NoServiceTime, match=r"could not be timed, so no rate can be tried\. It has no size\.$"):
        find(Broken(1.0))


def test_a_search_whose_time_is_up_says_what_is_known():
    # 200/s is one over the service time; the search begins at a quarter of it and doubles: 50 and 100 pass, 200 does
    # not.
    queue = Queue(5.0, clock=Clock(), takes_s=10.0)
    document, steps = find(queue, within_s=45.0)
    assert (document["reason"], document["is_partial"]) == ("out_of_time", True)
    assert document["highest_rate_per_s"] is None
    assert (document["at_least_per_s"], document["at_most_per_s"]) == (100.0, 200.0)
    assert [reason["code"] for reason in document["verdict"]["reasons"]] == ["samples.stopped_early"]
    assert [trial["rate_per_s"] for trial in document["trials"]] == [50.0, 100.0, 200.0]
    # The trial in which the time ran out was stopped at its first word and is not counted.
    assert (len(queue.asked), steps[-1][1]) == (5, "200 per second, at most 5 s left")
    assert document["confirmed_at_lower"] is None


def test_an_answer_without_time_for_the_last_run_is_an_answer():
    runs = find(Queue(5.0))[0]["highest_rate_per_s"]["n"]
    document, _ = find(Queue(5.0, clock=Clock(), takes_s=1.0), within_s=runs + 1.5)
    assert (document["reason"], document["is_partial"]) == ("bracketed", False)
    assert document["confirmed_at_lower"] is None


def test_no_rate_is_known_before_the_model_was_timed():
    with pytest.raises(NoServiceTime, match="allow more time with --within"):
        find(Queue(5.0, clock=Clock(), takes_s=2.0), within_s=1.0)
