"""The metrics of each scenario, which are missing and why, and the doubts that are its own."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from weighbridge.measure import metrics
from weighbridge.measure.loops.arrivals import ServerRun
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.scenarios import MultiStream, Offline, Scenario, Server
from weighbridge.measure.verdict import Doubt, Status
from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE, Interval, minimum_samples, most_over

# Twenty batch means of ten gaps each: fewer answers have no rate.
FEWEST_ANSWERS = 200
# A query that this program began late by more than a tenth of the time it is to be answered in was not measured.
MOST_LAG = 0.1
LIMIT_PERCENTILE = 0.99

Metrics = dict[str, dict[str, Any]]


def metrics_of(run: LatencyRun, scenario: Scenario) -> Metrics:
    """Return the metrics of a run by name, each in the form of `weighbridge.result/1`."""
    if isinstance(run, ServerRun):
        return _server_metrics(run)
    found = {**metrics.latency_metrics(run), **metrics.rate_metrics(run)}
    if isinstance(scenario, MultiStream | Offline):
        found.pop("throughput_per_s", None)
        rate = throughput(run, rows=scenario.rows)
        found |= {"throughput_samples_per_s": metrics.bounded(rate, "1/s")} if rate else {}
    return found


def throughput(run: LatencyRun, *, rows: int) -> Interval | None:
    """Return rows answered per second, by the times from one answer to the next; None with fewer than 200 answers.

    Without overlap those times are the latencies, the harness around them left out.
    """
    return metrics.rate_interval(run.latencies_ns if run.gaps_ns is None else run.gaps_ns, rows=rows)


def _server_metrics(run: ServerRun) -> Metrics:
    found = _percentiles("service_time", run)
    if not run.unanswered:
        found |= _percentiles("response_time", dataclasses.replace(run, latencies_ns=run.responses_ns))
    lags = _percentiles("generator_lag", dataclasses.replace(run, latencies_ns=run.lags_ns))
    found |= {name: lag for name, lag in lags.items() if name == "generator_lag_p99_ms"}
    if run.duration_s > 0:
        found["achieved_per_s"] = metrics.single(len(run.responses_ns) / run.duration_s, "1/s")
    rates = metrics.rate_metrics(run)
    return found | {name: rate for name, rate in rates.items() if name == "error_rate"}


def _percentiles(name: str, run: LatencyRun) -> Metrics:
    return {key.replace("latency", name, 1): metric for key, metric in metrics.latency_metrics(run).items()}


def early_stopping(run: LatencyRun) -> dict[str, Any]:
    """Return MLPerf's one-sided upper bounds of the headline's kind in milliseconds, where there are samples enough."""
    if not isinstance(run, ServerRun):
        return metrics.early_stopping(run)
    bounds = metrics.early_stopping(dataclasses.replace(run, latencies_ns=run.responses_ns))
    kept = {} if run.unanswered else bounds
    return {key.replace("latency", "response_time", 1): bound for key, bound in kept.items()} | {
        "confidence": bounds["confidence"]
    }


def missing_metrics(run: LatencyRun, scenario: Scenario) -> list[dict[str, str]]:
    """Say which metric is missing, and why."""
    missing = metrics.missing_metrics(run)
    if isinstance(run, ServerRun):
        missing = [{key: text.replace("latency", "service_time") for key, text in entry.items()} for entry in missing]
        if run.unanswered:
            text = f"{run.unanswered} queries were due and never begun, so the response times have no percentiles."
            missing.append({"metric": scenario.HEADLINE, "message": text})
        elif len(run.responses_ns) < minimum_samples(LIMIT_PERCENTILE):
            missing.append({"metric": scenario.HEADLINE, "message": _lack(scenario, run, minimum_of(scenario))})
    elif isinstance(scenario, Offline | MultiStream) and throughput(run, rows=scenario.rows) is None:
        text = f"throughput_samples_per_s needs {FEWEST_ANSWERS} queries and has {len(run.latencies_ns)}."
        missing.append({"metric": "throughput_samples_per_s", "message": text})
    return missing


def _lack(scenario: Scenario, run: LatencyRun, floor: int) -> str:
    n = len(run.latencies_ns)
    return f"{scenario.HEADLINE} needs {floor} samples and has {n}: {floor - n} more."


def minimum_of(scenario: Scenario) -> int:
    """Return how many timed queries the headline needs: MLPerf's floor of its percentile, or 200 for a rate."""
    percentiles: Mapping[str, float] = {**metrics.PERCENTILES, Server.HEADLINE: LIMIT_PERCENTILE}
    p = percentiles.get(scenario.HEADLINE)
    return FEWEST_ANSWERS if p is None else minimum_samples(p)


def limit_answer(run: LatencyRun, scenario: Scenario) -> dict[str, Any] | None:
    """Say by MLPerf's early stopping whether 99 % of all queries are answered within the limit, at 99 % confidence.

    Queries that failed or were never begun are over it. `more_needed` counts the further ones, all within the limit,
    with which it would be met. None where no limit was asked for.
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
        "allowed": max(0, most_over(n, LIMIT_PERCENTILE)),
        "is_met": n >= needed,
        "more_needed": max(0, needed - n),
    }


def samples_needed(over: int) -> int:
    """Return the least number of samples of which `over` may lie above the limit: MLPerf's `h_min(t) + t`, t at least
    1.
    """
    low, high = 0, minimum_samples(LIMIT_PERCENTILE)
    while most_over(high, LIMIT_PERCENTILE) < over:
        low, high = high, high * 2
    while high - low > 1 and high > minimum_samples(LIMIT_PERCENTILE):
        middle = (low + high) // 2
        low, high = (low, middle) if most_over(middle, LIMIT_PERCENTILE) >= over else (middle, high)
    return high


def doubts(run: LatencyRun, scenario: Scenario) -> Iterator[Doubt]:
    """Yield the reasons to doubt that only this kind of run knows."""
    if run.is_partial:
        text = "The run was stopped before its end; the metrics stand on what was measured till then."
        yield Doubt("samples.partial", Status.INDICATIVE, text)
    if not isinstance(run, ServerRun) or not isinstance(scenario, Server):
        return
    if run.unanswered:
        text = f"{run.unanswered} of {run.attempts + run.unanswered} queries were never begun: the rate is too high."
        yield Doubt("samples.unanswered", Status.INDICATIVE, text)
    if len(run.lags_ns) == 0:
        return
    lag_ms = float(np.quantile(run.lags_ns, 0.99)) / metrics.NS_PER_MS
    within_ms = scenario.limit_ms or float(np.quantile(run.responses_ns, 0.99)) / metrics.NS_PER_MS
    if lag_ms > MOST_LAG * within_ms:
        text = (
            f"Queries were begun up to {lag_ms:.3g} ms late (p99) by the measuring program itself; answers are due in "
            f"{within_ms:.3g} ms."
        )
        yield Doubt("generator.lag", Status.INVALID, text)
