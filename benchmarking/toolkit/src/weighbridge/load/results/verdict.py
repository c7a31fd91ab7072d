"""The verdict of a load test: whether the generator, the machine or too few samples distort the result."""

from collections.abc import Collection, Iterator

from weighbridge.core.metrics.units import share_text
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.plan import Arrivals, LoadPlan
from weighbridge.load.results.client_limits import client_reasons
from weighbridge.load.results.metrics import LoadMetrics, headline_of
from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.metrics import NS_PER_MS
from weighbridge.measure.verdict import MAX_MOVEMENT, Status, ValidityReason, Verdict, steal_reasons
from weighbridge.statistics.order_statistics import minimum_samples
from weighbridge.statistics.trend import growth

MAX_FAILED_SHARE = 0.01
STEADY = (Arrivals.CONSTANT, Arrivals.POISSON)
SATURATED, BUSY = "load.saturated", "server.busy"
# Reasons that withhold times, and keep the rest of a test.
WITHHOLDING = {SATURATED, BUSY}


def judge(
    plan: LoadPlan,
    result: GeneratorResult,
    metrics: LoadMetrics,
    *,
    is_co_located: bool,
    interference: Interference | None,
    more: tuple[ValidityReason, ...] = (),
) -> Verdict:
    """Evaluate generator, samples, failures and the machine; `interference` is None if not measured.

    `more` are the doubts about streamed answers.
    """
    return Verdict(
        (
            *client_reasons(plan, result, metrics),
            *_samples(plan, result, metrics, {reason.code for reason in more}),
            *_failures(result, metrics),
            *more,
            *_saturation(plan, result),
            *(_streams(result) if plan.chat is None else ()),
            *_machine(is_co_located, interference),
        )
    )


def _samples(
    plan: LoadPlan, result: GeneratorResult, metrics: LoadMetrics, withholding: Collection[str]
) -> Iterator[ValidityReason]:
    headline, p = headline_of(plan)
    n, floor = int(result.samples.settled.sum()), minimum_samples(p)
    if n < floor:
        text = f"{n} requests cannot bound {headline}: it needs {floor}, {floor - n} more."
        yield ValidityReason("samples.too_few", Status.INVALID, text)
    elif headline not in metrics.metrics and not WITHHOLDING & set(withholding):
        text = f"So many requests failed that {headline} has no value."
        yield ValidityReason("samples.unanswered", Status.INVALID, text)
    if result.is_stopped:
        missing = len(result.samples.settled) - n
        text = f"The test was stopped: {missing:,} of {n + missing:,} requests were not sent or have no known outcome."
        yield ValidityReason("samples.stopped_early", Status.INDICATIVE, text)


def _failures(result: GeneratorResult, metrics: LoadMetrics) -> Iterator[ValidityReason]:
    failures, n = result.samples.failures, int(result.samples.settled.sum())
    if failures:
        failed, share = sum(failures.values()), metrics.value("error_rate") or 0.0
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(failures.items()))
        status = Status.INVALID if share > MAX_FAILED_SHARE else Status.INDICATIVE
        text = f"{failed:,} of {n:,} requests failed ({kinds})."
        if share * n > failed + 0.5:
            text += f" With the bodies that were not checked, about {share_text(share, decimals=2)} failed."
        yield ValidityReason("errors.requests", status, text)


def _saturation(plan: LoadPlan, result: GeneratorResult) -> Iterator[ValidityReason]:
    """Yield that response times grew under a steady rate: they would be longer in a longer test."""
    if plan.is_closed or plan.chat is not None or plan.arrivals not in STEADY:
        return
    samples = result.samples
    grown = growth((samples.done_ns - samples.scheduled_ns)[samples.answered] / NS_PER_MS)
    if grown is not None and grown.change > MAX_MOVEMENT:
        text = (
            f"Response times grew by {grown.change:.0%} during the test (p = {grown.p_value:.1g}): at this rate, "
            "requests pile up, and percentiles depend on the duration. Use a lower rate, or a longer test."
        )
        yield ValidityReason(SATURATED, Status.INDICATIVE, text)


def _streams(result: GeneratorResult) -> Iterator[ValidityReason]:
    if result.streamed:
        text = (
            "The target streams its answers, as servers of language models do that add requests to a running batch. "
            "The time of a request then depends on its length and on the requests beside it: percentiles at one rate "
            "do not hold at another rate, or for another mix of requests. Use the rate and the bodies of production."
        )
        yield ValidityReason("answers.streamed", Status.INDICATIVE, text)


def _machine(is_co_located: bool, interference: Interference | None) -> Iterator[ValidityReason]:
    if is_co_located:
        text = "Generator and target share the processors of this machine."
        yield ValidityReason("environment.co_located", Status.INDICATIVE, text)
    if interference is not None:
        yield from steal_reasons(interference, during="test")
