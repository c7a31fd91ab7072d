"""The metrics of each scenario, its missing metrics, and its verdict reasons."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from weighbridge.measure import metrics
from weighbridge.measure.loops.arrivals import ServerRun
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.scenarios import MultiStream, Offline, Scenario, Server
from weighbridge.measure.verdict import Status, ValidityReason
from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE, Interval, max_over_limit, minimum_samples

# A rate needs 20 batch means of 10 gaps each.
MIN_ANSWERS = 200
# The start delay of this program must be below this share of the response time limit.
MAX_LAG_SHARE = 0.1
LIMIT_PERCENTILE = 0.99

Metrics = dict[str, dict[str, Any]]


def metrics_of(run: LatencyRun, scenario: Scenario) -> Metrics:
    """Return the metrics of a run by name, each in the format of `weighbridge.result/1`."""
    if isinstance(run, ServerRun):
        return _server_metrics(run)
    values = {**metrics.latency_metrics(run), **metrics.rate_metrics(run)}
    if isinstance(scenario, MultiStream | Offline):
        values.pop("throughput_per_s", None)
        rate = throughput(run, rows=scenario.rows)
        values |= {"throughput_samples_per_s": metrics.interval_metric(rate, "1/s")} if rate else {}
    return values


def throughput(run: LatencyRun, *, rows: int) -> Interval | None:
    """Return rows answered per second, from the times between answers; None with fewer than 200 answers.

    Without overlap, these times are the latencies, without the overhead of the harness.
    """
    return metrics.rate_interval(run.latencies_ns if run.gaps_ns is None else run.gaps_ns, rows=rows)


def _server_metrics(run: ServerRun) -> Metrics:
    values = _percentiles("service_time", run)
    if not run.unanswered:
        values |= _percentiles("response_time", dataclasses.replace(run, latencies_ns=run.responses_ns))
    lags = _percentiles("generator_lag", dataclasses.replace(run, latencies_ns=run.lags_ns))
    values |= {name: lag for name, lag in lags.items() if name == "generator_lag_p99_ms"}
    if run.duration_s > 0:
        values["achieved_per_s"] = metrics.point_metric(len(run.responses_ns) / run.duration_s, "1/s")
    rates = metrics.rate_metrics(run)
    return values | {name: rate for name, rate in rates.items() if name == "error_rate"}


def _percentiles(name: str, run: LatencyRun) -> Metrics:
    return {key.replace("latency", name, 1): metric for key, metric in metrics.latency_metrics(run).items()}


def early_stopping(run: LatencyRun) -> dict[str, Any]:
    """Return the one-sided upper bounds of MLPerf in milliseconds, if there are enough samples."""
    if not isinstance(run, ServerRun):
        return metrics.early_stopping(run)
    bounds = metrics.early_stopping(dataclasses.replace(run, latencies_ns=run.responses_ns))
    usable = {} if run.unanswered else bounds
    return {key.replace("latency", "response_time", 1): bound for key, bound in usable.items()} | {
        "confidence": bounds["confidence"]
    }


def missing_metrics(run: LatencyRun, scenario: Scenario) -> list[dict[str, str]]:
    """Return the missing metrics with reasons."""
    missing = metrics.missing_metrics(run)
    if isinstance(run, ServerRun):
        missing = [{key: text.replace("latency", "service_time") for key, text in entry.items()} for entry in missing]
        if run.unanswered:
            text = f"{run.unanswered} queries were never started, so response times have no percentiles."
            missing.append({"metric": scenario.HEADLINE, "message": text})
        elif len(run.responses_ns) < minimum_samples(LIMIT_PERCENTILE):
            missing.append(metrics.missing_samples(scenario.HEADLINE, minimum_of(scenario), len(run.latencies_ns)))
    elif isinstance(scenario, Offline | MultiStream) and throughput(run, rows=scenario.rows) is None:
        text = f"throughput_samples_per_s needs {MIN_ANSWERS} queries and has {len(run.latencies_ns)}."
        missing.append({"metric": "throughput_samples_per_s", "message": text})
    return missing


def minimum_of(scenario: Scenario) -> int:
    """Return the number of timed queries that the headline needs: the minimum of MLPerf, or 200 for a rate."""
    percentiles: Mapping[str, float] = {**metrics.PERCENTILES, Server.HEADLINE: LIMIT_PERCENTILE}
    p = percentiles.get(scenario.HEADLINE)
    return MIN_ANSWERS if p is None else minimum_samples(p)


def limit_answer(run: LatencyRun, scenario: Scenario) -> dict[str, Any] | None:
    """Check with the early stopping of MLPerf whether 99 % of queries meet the limit, at 99 % confidence.

    Failed and unanswered queries count as above the limit. `more_needed` is the number of additional queries within the
    limit that would meet it. None without a limit.
    """
    if not isinstance(run, ServerRun) or not isinstance(scenario, Server) or scenario.limit_ms is None:
        return None
    n = run.attempts + run.unanswered
    late = int(np.count_nonzero(run.responses_ns > scenario.limit_ms * metrics.NS_PER_MS))
    over = late + run.failed + run.unanswered
    needed = samples_needed(over)
    return {
        "limit_ms": scenario.limit_ms,
        "percentile": LIMIT_PERCENTILE,
        "confidence": MLPERF_CONFIDENCE,
        "n": n,
        "over": over,
        "allowed": max(0, max_over_limit(n, LIMIT_PERCENTILE)),
        "is_met": n >= needed,
        "more_needed": max(0, needed - n),
    }


def samples_needed(over: int) -> int:
    """Return the minimum number of samples with `over` of them above the limit: `h_min(t) + t` of MLPerf, t >= 1."""
    low, high = 0, minimum_samples(LIMIT_PERCENTILE)
    while max_over_limit(high, LIMIT_PERCENTILE) < over:
        low, high = high, high * 2
    while high - low > 1 and high > minimum_samples(LIMIT_PERCENTILE):
        middle = (low + high) // 2
        low, high = (low, middle) if max_over_limit(middle, LIMIT_PERCENTILE) >= over else (middle, high)
    return high


def scenario_reasons(run: LatencyRun, scenario: Scenario) -> Iterator[ValidityReason]:
    """Yield the verdict reasons that are specific to the scenario."""
    if run.is_partial:
        text = "The run was stopped early; the metrics use only the samples until then."
        yield ValidityReason("samples.partial", Status.INDICATIVE, text)
    if not isinstance(run, ServerRun) or not isinstance(scenario, Server):
        return
    if run.unanswered:
        text = f"{run.unanswered} of {run.attempts + run.unanswered} queries were never started: the rate is too high."
        yield ValidityReason("samples.unanswered", Status.INDICATIVE, text)
    if len(run.lags_ns) == 0:
        return
    lag_ms = float(np.quantile(run.lags_ns, 0.99)) / metrics.NS_PER_MS
    within_ms = scenario.limit_ms or float(np.quantile(run.responses_ns, 0.99)) / metrics.NS_PER_MS
    if lag_ms > MAX_LAG_SHARE * within_ms:
        text = (
            f"The measuring program started queries up to {lag_ms:.3g} ms late (p99); answers are due within "
            f"{within_ms:.3g} ms."
        )
        yield ValidityReason("generator.lag", Status.INVALID, text)
