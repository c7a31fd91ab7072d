"""The metrics of a load test: response time counts from the due time of a request, service time from sending it.

A request without a correct answer counts as slower than any answer in the response times, so that a server that fails
fast does not look fast. Service times, which most tools report, are additional.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.intervals import UNANSWERED_MS, percentile_intervals
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome
from weighbridge.load.results.success import count_rate, error_interval, goodput
from weighbridge.measure.metrics import NS_PER_MS, interval_metric, missing_samples
from weighbridge.statistics.order_statistics import minimum_samples

HEADLINE, HEADLINE_P = "response_time_p99_ms", 0.99
# Of a short test, p99 has no value; users of a language model wait for the first token.
CHAT_HEADLINE, CHAT_HEADLINE_P = "ttft_p95_ms", 0.95
NS_PER_S = 1e9
PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
LAG_PERCENTILES: Mapping[str, float] = {"p99": 0.99}


@dataclasses.dataclass(frozen=True)
class LoadMetrics:
    """Metrics in the format of `weighbridge.result/1`, and the reasons for missing metrics."""

    metrics: dict[str, dict[str, Any]]
    missing: list[dict[str, str]]

    def value(self, name: str) -> float | None:
        """Return the value of a metric, None if missing."""
        return float(self.metrics[name]["value"]) if name in self.metrics else None


def headline_of(plan: LoadPlan) -> tuple[str, float]:
    """Return the metric that stands for a test, and its percentile (0 to 1)."""
    return (CHAT_HEADLINE, CHAT_HEADLINE_P) if plan.chat is not None else (HEADLINE, HEADLINE_P)


def metrics_of(samples: LoadSamples, *, duration_s: float, seed: int) -> LoadMetrics:
    """Compute every metric of a test that ran for `duration_s`."""
    settled, answered = samples.settled, samples.answered
    response = response_times_ms(samples)
    times: tuple[tuple[str, NDArray[np.float64], Mapping[str, float]], ...] = (
        ("response_time", response, PERCENTILES),
        ("service_time", (samples.done_ns - samples.sent_ns)[answered] / NS_PER_MS, PERCENTILES),
        ("generator_lag", (samples.taken_ns - samples.scheduled_ns)[settled] / NS_PER_MS, LAG_PERCENTILES),
        ("connection_wait", connection_waits_ms(samples), LAG_PERCENTILES),
    )
    metrics: dict[str, dict[str, Any]] = {}
    missing: list[dict[str, str]] = []
    for kind, values, percentiles in times:
        intervals = percentile_intervals(values, {f"{kind}_{p}_ms": at for p, at in percentiles.items()}, seed=seed)
        for (name, interval), p in zip(intervals.items(), percentiles.values(), strict=True):
            if interval is not None:
                metrics[name] = interval_metric(interval, "ms")
            else:
                missing.append(why_missing(name, p, len(values)))
    metrics |= _rates(samples, duration_s)
    return LoadMetrics(metrics, missing)


def response_times_ms(samples: LoadSamples) -> NDArray[np.float64]:
    """Return done - scheduled of every settled request; UNANSWERED_MS for those without a correct answer.

    A body that was not checked counts as the one checked last before it: a wrong body stands for those around it.
    """
    right = samples.answered & ~_beside_wrong_body(samples)
    times = np.where(right, (samples.done_ns - samples.scheduled_ns) / NS_PER_MS, UNANSWERED_MS)
    return np.asarray(times[samples.settled], dtype=np.float64)


def _beside_wrong_body(samples: LoadSamples) -> NDArray[np.bool_]:
    """Mask of the requests whose last check before them, or the first check of all, found a wrong body."""
    checks = np.flatnonzero(samples.checked)
    if len(checks) == 0:
        return np.zeros(len(samples.outcome), dtype=np.bool_)
    last = np.searchsorted(checks, np.arange(len(samples.outcome)), side="right") - 1
    return np.equal(samples.outcome[checks[np.maximum(last, 0)]], RequestOutcome.WRONG_ANSWER)


def connection_waits_ms(samples: LoadSamples) -> NDArray[np.float64]:
    """Return sent - taken: the wait for a free connection."""
    sent = samples.settled & (samples.sent_ns != NEVER)
    return np.asarray((samples.sent_ns - samples.taken_ns)[sent] / NS_PER_MS, dtype=np.float64)


def per_second_series(samples: LoadSamples) -> list[dict[str, Any]]:
    """Return one entry per second of the schedule: requests due, answered and failed, and their response times."""
    if not samples.settled.any():
        return []
    seconds = (samples.scheduled_ns // int(NS_PER_S)).astype(np.int64)
    response_ms = (samples.done_ns - samples.scheduled_ns) / NS_PER_MS
    series = []
    for second in range(int(seconds[samples.settled].max()) + 1):
        due = (seconds == second) & samples.settled
        times = response_ms[due & samples.answered]
        series.append(
            {
                "second": second,
                "due": int(due.sum()),
                "answered": len(times),
                "failed": int(due.sum()) - len(times),
                "response_time_p50_ms": float(np.median(times)) if len(times) else None,
                "response_time_max_ms": float(times.max()) if len(times) else None,
            }
        )
    return series


def _rates(samples: LoadSamples, duration_s: float) -> dict[str, dict[str, Any]]:
    failed = error_interval(samples)
    if failed is None:
        return {}
    span_s = max(duration_s, float(samples.done_ns.max()) / NS_PER_S)
    return {
        "achieved_per_s": interval_metric(goodput(samples, span_s=span_s), "1/s"),
        "offered_per_s": interval_metric(count_rate(int(samples.settled.sum()), duration_s), "1/s"),
        "error_rate": interval_metric(failed, "ratio"),
    }


def why_missing(name: str, p: float, n: int) -> dict[str, str]:
    """Return why the percentile `p` of `n` requests has no value."""
    floor = minimum_samples(p)
    if n < floor:
        return missing_samples(name, floor, n)
    text = f"{name} is missing: too many of the {n} requests have no correct answer, or too few to bound it."
    return {"metric": name, "message": text}
