"""The metrics of each scenario, on runs made by hand."""

import numpy as np
import pytest
from scipy.stats import binom  # noqa: TID253 -- an oracle

from weighbridge.measure import scenario_metrics
from weighbridge.measure.loops.arrivals import ServerRun
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.loops.warmup import WarmUpReport
from weighbridge.measure.scenarios import MultiStream, Offline, Server, SingleStream

WARM = WarmUpReport(10, 0.1, is_settled=True)
MS = 1_000_000


def closed(latencies, **changes):
    return LatencyRun(np.asarray(latencies, dtype=np.int64), {}, 1.0, 1, WARM, **changes)


def server(responses_ms, *, lags_ms=0.01, unanswered=0, failures=None, duration_s=10.0):
    responses = (np.asarray(responses_ms) * MS).astype(np.int64)
    return ServerRun(
        latencies_ns=np.full(len(responses), MS),
        failures=failures or {},
        duration_s=duration_s,
        distinct_inputs=1,
        warmup=WARM,
        responses_ns=responses,
        lags_ns=np.full(len(responses), int(lags_ms * MS)),
        unanswered=unanswered,
    )


def codes(run, scenario):
    return [reason.code for reason in scenario_metrics.scenario_reasons(run, scenario)]


def test_a_single_stream_has_the_metrics_it_always_had():
    found = scenario_metrics.metrics_of(closed(np.full(700, MS)), SingleStream())
    assert set(found) == {"latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s", "error_rate"}


def test_throughput_counts_rows_and_not_queries():
    run = closed(np.tile([3 * MS, 5 * MS], 200))
    found = scenario_metrics.metrics_of(run, MultiStream(samples_per_query=8))["throughput_samples_per_s"]
    assert (found["value"], found["unit"], found["n"]) == (pytest.approx(8 / 0.004), "1/s", 400)
    overlapping = closed(np.full(400, 4 * MS), gaps_ns=np.full(400, MS))
    assert scenario_metrics.throughput(overlapping, rows=2).value == pytest.approx(2_000)


def test_wild_batches_leave_a_rate_above_zero():
    run = closed(np.r_[np.full(399, 1_000), 400 * MS])
    found = scenario_metrics.throughput(run, rows=1)
    assert 0 < found.lower < found.value < found.upper


@pytest.mark.parametrize("run", [closed(np.full(100, MS)), closed(np.zeros(400))])
def test_a_rate_without_samples_or_time_is_missing(run):
    assert scenario_metrics.throughput(run, rows=4) is None
    missing = scenario_metrics.missing_metrics(run, Offline(batch=4))
    assert "throughput_samples_per_s" in [entry["metric"] for entry in missing]
    assert "throughput_samples_per_s" not in scenario_metrics.metrics_of(run, Offline(batch=4))


def test_a_server_has_three_clocks():
    run = server(np.linspace(1, 20, 1_000))
    found = scenario_metrics.metrics_of(run, Server())
    assert {"response_time_p50_ms", "response_time_p99_ms", "service_time_p99_ms", "generator_lag_p99_ms"} <= set(found)
    assert found["response_time_p99_ms"]["value"] == pytest.approx(19.81)
    assert found["service_time_p99_ms"]["value"] == 1.0
    assert found["achieved_per_s"]["value"] == 100.0
    assert found["error_rate"]["n"] == 1_000
    assert not any(name.startswith(("latency", "throughput")) for name in found)
    assert scenario_metrics.early_stopping(run)["response_time_p99_ms"] > 19.81
    assert scenario_metrics.missing_metrics(run, Server()) == []


def test_queries_never_begun_leave_the_response_time_without_percentiles():
    run = server(np.full(1_000, 5.0), unanswered=500)
    assert not any(name.startswith("response") for name in scenario_metrics.metrics_of(run, Server()))
    assert set(scenario_metrics.early_stopping(run)) == {"confidence"}
    assert "500 queries were never started" in scenario_metrics.missing_metrics(run, Server())[0]["message"]
    assert codes(run, Server()) == ["samples.unanswered"]


def test_a_server_with_few_samples_says_how_many_it_lacks():
    missing = scenario_metrics.missing_metrics(server(np.full(600, 5.0)), Server())
    messages = {entry["metric"]: entry["message"] for entry in missing}
    assert messages["response_time_p99_ms"] == "response_time_p99_ms needs 662 samples and has 600: 62 more."
    assert "service_time_p99_ms" in messages


def test_no_time_has_no_achieved_rate():
    assert "achieved_per_s" not in scenario_metrics.metrics_of(server([], duration_s=0.0), Server())
    assert codes(server([], duration_s=0.0), Server()) == []


@pytest.mark.parametrize(
    ("scenario", "floor"), [(SingleStream(), 130), (MultiStream(), 662), (Offline(), 200), (Server(), 662)]
)
def test_every_headline_has_its_floor(scenario, floor):
    assert scenario_metrics.minimum_of(scenario) == floor


def test_the_limit_is_met_by_early_stopping():
    # MLPerf's own table: 10,000 samples at p99 may hold 77 over the limit.
    responses = np.full(10_000, 5.0)
    responses[:77] = 50.0
    answer = scenario_metrics.limit_answer(server(responses), Server(limit_ms=10.0))
    assert (answer["n"], answer["over"], answer["allowed"], answer["is_met"], answer["more_needed"]) == (
        10_000,
        77,
        77,
        True,
        0,
    )
    responses[77] = 50.0
    answer = scenario_metrics.limit_answer(server(responses), Server(limit_ms=10.0))
    assert (answer["over"], answer["is_met"]) == (78, False)
    assert answer["more_needed"] > 0


def test_failed_and_unanswered_queries_are_over_the_limit():
    answer = scenario_metrics.limit_answer(
        server(np.full(1_000, 5.0), unanswered=3, failures={"KeyError": 4}), Server(limit_ms=10.0)
    )
    assert (answer["n"], answer["over"]) == (1_007, 7)


def test_no_limit_has_no_answer():
    assert scenario_metrics.limit_answer(server([5.0]), Server()) is None
    assert scenario_metrics.limit_answer(closed([5]), SingleStream()) is None
    assert scenario_metrics.limit_answer(server([5.0]), SingleStream()) is None


@pytest.mark.parametrize("over", [0, 1, 2, 7, 77, 500])
def test_the_samples_needed_are_the_fewest(over):
    needed = scenario_metrics.samples_needed(over)
    assert binom.cdf(max(over, 1), needed, 0.01) < 0.01
    assert binom.cdf(max(over, 1), needed - 1, 0.01) >= 0.01


def test_a_program_that_is_late_itself_measures_nothing():
    late = server(np.full(700, 20.0), lags_ms=3.0)
    assert codes(late, Server(limit_ms=20.0)) == ["generator.lag"]
    assert codes(late, Server()) == ["generator.lag"]
    assert codes(late, Server(limit_ms=100.0)) == []


def test_a_run_that_was_stopped_says_so():
    assert codes(closed([MS], is_partial=True), SingleStream()) == ["samples.partial"]
