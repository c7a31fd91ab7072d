"""The verdict of a load test: was it the server that was measured, or the generator, the machine, or too
little of all.
"""

import dataclasses
from collections.abc import Iterator

from weighbridge.load.generator.generator import Fired
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.metrics import LoadMetrics
from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.verdict import Doubt, Status, Verdict, worst
from weighbridge.statistics.order_statistics import minimum_samples

HEADLINE, HEADLINE_P = "response_time_p99_ms", 0.99
# The generator's own lateness is in every response time; up to these shares of the headline it is small.
LAG_DOUBTED, LAG_REFUSED = 0.05, 0.10
LAG_DOUBTED_MS, LAG_REFUSED_MS = 1.0, 2.0
WAITED = 0.01
FAILED = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadCircumstances:
    """What is known of the test beside its samples; `interference` is None where nobody looked."""

    is_co_located: bool
    interference: Interference | None


def judge(plan: LoadPlan, fired: Fired, metrics: LoadMetrics, circumstances: LoadCircumstances) -> Verdict:
    """Weigh generator, samples, failures and circumstances."""
    reasons = (
        *_generator(plan, metrics, fired),
        *_samples(fired, metrics),
        *_failures(fired),
        *_connections(plan, fired),
        *_machine(circumstances),
    )
    return Verdict(worst(reasons), reasons)


def _generator(plan: LoadPlan, metrics: LoadMetrics, fired: Fired) -> Iterator[Doubt]:
    if fired.lost_processes:
        text = f"{fired.lost_processes} of the generator's processes ended without their samples."
        yield Doubt("generator.lost_process", Status.INVALID, text)
    lag_ms = metrics.value("generator_lag_p99_ms")
    if lag_ms is None:
        return
    scale_ms = max(metrics.value(HEADLINE) or 0.0, plan.p99_limit_ms or 0.0)
    doubted_ms = max(LAG_DOUBTED_MS, LAG_DOUBTED * scale_ms)
    if lag_ms > doubted_ms:
        refused_ms = max(LAG_REFUSED_MS, LAG_REFUSED * scale_ms)
        text = (
            f"The generator itself was late by {lag_ms:.2f} ms at p99; up to {doubted_ms:.2f} ms is small beside what "
            "was "
            "measured. Use more --processes, a lower rate, or a calmer machine."
        )
        yield Doubt("generator.lag", Status.INVALID if lag_ms > refused_ms else Status.INDICATIVE, text)


def _samples(fired: Fired, metrics: LoadMetrics) -> Iterator[Doubt]:
    n, floor = int(fired.samples.settled.sum()), minimum_samples(HEADLINE_P)
    if n < floor:
        text = f"{n} requests cannot bound {HEADLINE}: it needs {floor}, {floor - n} more."
        yield Doubt("samples.too_few", Status.INVALID, text)
    elif HEADLINE not in metrics.metrics:
        yield Doubt("samples.unanswered", Status.INVALID, f"So many requests failed that {HEADLINE} has no value.")
    if fired.is_stopped:
        missing = len(fired.samples.settled) - n
        text = (
            f"The test was stopped: {missing:,} of {n + missing:,} requests were not sent, or their end is not known."
        )
        yield Doubt("samples.stopped_early", Status.INDICATIVE, text)


def _failures(fired: Fired) -> Iterator[Doubt]:
    failures, n = fired.samples.failures, int(fired.samples.settled.sum())
    if failures:
        failed = sum(failures.values())
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(failures.items()))
        status = Status.INVALID if failed > FAILED * n else Status.INDICATIVE
        yield Doubt("errors.requests", status, f"{failed:,} of {n:,} requests failed ({kinds}).")


def _connections(plan: LoadPlan, fired: Fired) -> Iterator[Doubt]:
    samples = fired.samples
    # Longer than it takes to write a request to a connection that is free.
    waited = int((samples.sent_ns - samples.taken_ns > 1_000_000).sum())
    if waited > WAITED * len(samples.outcome):
        text = (
            f"{waited:,} requests waited here because all {plan.connections} connections were busy. Their wait is "
            "part of "
            "the response time, not of the service time; --connections of rate x latency let the server see them at "
            "once."
        )
        yield Doubt("connections.busy", Status.INDICATIVE, text)


def _machine(circumstances: LoadCircumstances) -> Iterator[Doubt]:
    if circumstances.is_co_located:
        text = "Generator and target share this machine and take processors from each other."
        yield Doubt("environment.co_located", Status.INDICATIVE, text)
    seen = circumstances.interference
    if seen is not None and seen.steal_cpus is not None and seen.steal_cpus > 0.02 * seen.cpus:
        status = Status.INVALID if seen.steal_cpus > 0.25 * seen.cpus else Status.INDICATIVE
        text = f"The hypervisor took {seen.steal_cpus:.2f} of {seen.cpus} processors away during the test."
        yield Doubt("interference.steal", status, text)
