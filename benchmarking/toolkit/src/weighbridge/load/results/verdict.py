"""The verdict of a load test: whether the generator, the machine or too few samples distort the result."""

from collections.abc import Iterator

from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.metrics import LoadMetrics
from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.verdict import Status, ValidityReason, Verdict, steal_reasons
from weighbridge.statistics.order_statistics import minimum_samples

HEADLINE, HEADLINE_P = "response_time_p99_ms", 0.99
# The delay of the generator is part of every response time; these shares of the headline limit it.
LAG_INDICATIVE, LAG_INVALID = 0.05, 0.10
LAG_INDICATIVE_MS, LAG_INVALID_MS = 1.0, 2.0
MAX_WAITED_SHARE = 0.01
MAX_FAILED_SHARE = 0.01


def judge(
    plan: LoadPlan,
    result: GeneratorResult,
    metrics: LoadMetrics,
    *,
    is_co_located: bool,
    interference: Interference | None,
) -> Verdict:
    """Evaluate generator, samples, failures and the machine; `interference` is None if not measured."""
    return Verdict(
        (
            *_generator(plan, metrics, result),
            *_samples(result, metrics),
            *_failures(result),
            *_connections(plan, result),
            *_machine(is_co_located, interference),
        )
    )


def _generator(plan: LoadPlan, metrics: LoadMetrics, result: GeneratorResult) -> Iterator[ValidityReason]:
    if result.lost_processes:
        text = f"{result.lost_processes} generator processes ended without samples."
        yield ValidityReason("generator.lost_process", Status.INVALID, text)
    lag_ms = metrics.value("generator_lag_p99_ms")
    if lag_ms is None:
        return
    scale_ms = max(metrics.value(HEADLINE) or 0.0, plan.p99_limit_ms or 0.0)
    indicative_ms = max(LAG_INDICATIVE_MS, LAG_INDICATIVE * scale_ms)
    if lag_ms > indicative_ms:
        invalid_ms = max(LAG_INVALID_MS, LAG_INVALID * scale_ms)
        text = (
            f"The generator itself was late by {lag_ms:.2f} ms at p99; at most {indicative_ms:.2f} ms is normal. Use "
            "more --processes, a lower rate, or a less busy machine."
        )
        yield ValidityReason("generator.lag", Status.INVALID if lag_ms > invalid_ms else Status.INDICATIVE, text)


def _samples(result: GeneratorResult, metrics: LoadMetrics) -> Iterator[ValidityReason]:
    n, floor = int(result.samples.settled.sum()), minimum_samples(HEADLINE_P)
    if n < floor:
        text = f"{n} requests cannot bound {HEADLINE}: it needs {floor}, {floor - n} more."
        yield ValidityReason("samples.too_few", Status.INVALID, text)
    elif HEADLINE not in metrics.metrics:
        text = f"So many requests failed that {HEADLINE} has no value."
        yield ValidityReason("samples.unanswered", Status.INVALID, text)
    if result.is_stopped:
        missing = len(result.samples.settled) - n
        text = f"The test was stopped: {missing:,} of {n + missing:,} requests were not sent or have no known outcome."
        yield ValidityReason("samples.stopped_early", Status.INDICATIVE, text)


def _failures(result: GeneratorResult) -> Iterator[ValidityReason]:
    failures, n = result.samples.failures, int(result.samples.settled.sum())
    if failures:
        failed = sum(failures.values())
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(failures.items()))
        status = Status.INVALID if failed > MAX_FAILED_SHARE * n else Status.INDICATIVE
        yield ValidityReason("errors.requests", status, f"{failed:,} of {n:,} requests failed ({kinds}).")


def _connections(plan: LoadPlan, result: GeneratorResult) -> Iterator[ValidityReason]:
    samples = result.samples
    # Longer than writing a request to a free connection takes.
    waited = int((samples.sent_ns - samples.taken_ns > 1_000_000).sum())
    if waited > MAX_WAITED_SHARE * len(samples.outcome):
        text = (
            f"{waited:,} requests waited here because all {plan.connections} connections were busy. Their wait is "
            "part of the response time, not of the service time. Set --connections to rate x latency to avoid it."
        )
        yield ValidityReason("connections.busy", Status.INDICATIVE, text)


def _machine(is_co_located: bool, interference: Interference | None) -> Iterator[ValidityReason]:
    if is_co_located:
        text = "Generator and target share the processors of this machine."
        yield ValidityReason("environment.co_located", Status.INDICATIVE, text)
    if interference is not None:
        yield from steal_reasons(interference, during="test")
