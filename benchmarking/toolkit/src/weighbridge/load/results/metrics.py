"""The metrics of a load test: response time counts from the due time of a request, service time from sending it.

A request without a correct answer counts as slower than any answer in the response times, so that a server that fails
fast does not look fast. Service times, which most tools report, are additional.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.results.intervals import UNANSWERED_MS, percentile_intervals
from weighbridge.load.results.samples import NEVER, LoadSamples
from weighbridge.measure.metrics import NS_PER_MS, interval_metric, missing_samples
from weighbridge.statistics.order_statistics import Interval, failure_interval, minimum_samples

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
                missing.append(_why_missing(name, p, len(values)))
    metrics |= _rates(samples, duration_s)
    return LoadMetrics(metrics, missing)


def response_times_ms(samples: LoadSamples) -> NDArray[np.float64]:
    """Return done - scheduled of every settled request; UNANSWERED_MS for those without a correct answer."""
    times = np.where(samples.answered, (samples.done_ns - samples.scheduled_ns) / NS_PER_MS, UNANSWERED_MS)
    return np.asarray(times[samples.settled], dtype=np.float64)


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
    settled = int(samples.settled.sum())
    failed = failure_interval(settled - int(samples.answered.sum()), settled)
    if failed is None:
        return {}
    span_s = max(duration_s, float(samples.done_ns.max()) / NS_PER_S)
    return {
        "achieved_per_s": _count_rate(int(samples.answered.sum()), span_s),
        "offered_per_s": _count_rate(settled, duration_s),
        "error_rate": interval_metric(failed, "ratio"),
    }


def _count_rate(events: int, span_s: float) -> dict[str, Any]:
    """Return a rate with the 95 % interval of a Poisson count (Garwood 1936)."""
    from scipy.stats import chi2

    lower = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    upper = float(chi2.ppf(0.975, 2 * events + 2)) / 2
    return interval_metric(Interval(events / span_s, lower / span_s, upper / span_s, 0.95, events), "1/s")


def _why_missing(name: str, p: float, n: int) -> dict[str, str]:
    floor = minimum_samples(p)
    if n < floor:
        return missing_samples(name, floor, n)
    text = f"{name} is missing: too many of the {n} requests have no correct answer, or too few to bound it."
    return {"metric": name, "message": text}
