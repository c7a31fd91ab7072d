"""Limits of the generator itself: a result that they set is none of the target.

The generator is limited by lost processes, by its processors, by its own delay, or by connections that it may not open.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.chat.results.client import CROWDED, LOST, PROCESSOR, limits_of_chat_client
from weighbridge.load.generator.generator import GeneratorResult
from weighbridge.load.generator.http2.connection import STREAMS_MAX
from weighbridge.load.generator.pool_size import PoolLimit
from weighbridge.load.plan import LoadPlan
from weighbridge.load.results.intervals import UNANSWERED_MS
from weighbridge.load.results.metrics import HEADLINE, HEADLINE_P, LoadMetrics, headline_of, response_times_ms
from weighbridge.load.results.samples import NEVER, LoadSamples, RequestOutcome
from weighbridge.measure.metrics import NS_PER_MS
from weighbridge.measure.verdict import Status, ValidityReason

LAG, BUSY = "generator.lag", "connections.busy"
# The delay of the generator is part of every response time; these shares of the headline limit it.
LAG_INDICATIVE, LAG_INVALID = 0.05, 0.10
LAG_INDICATIVE_MS, LAG_INVALID_MS = 1.0, 2.0
# k6 advises to keep a fifth of the processors idle; a process that is nearly always busy delays what it measures.
PROCESSOR_INDICATIVE, PROCESSOR_INVALID = 0.8, 0.95
# Longer than writing a request to a free connection takes.
WAITED_NS = 1_000_000
MAX_WAITED_SHARE = 0.01
ADVICE = {
    PoolLimit.FIXED: "the {most} connections fixed by --connections; leave it out, so that the pool grows",
    PoolLimit.CAP: "the most connections of one test, {most}; use several machines, or a lower rate",
    PoolLimit.FILES: "the file descriptors of a process; raise them (ulimit -n), or use more --processes",
    PoolLimit.PORTS: "the local ports of this machine; use keep-alive, several machines, or a lower rate",
}


def client_reasons(plan: LoadPlan, result: GeneratorResult, metrics: LoadMetrics) -> Iterator[ValidityReason]:
    """Yield the reasons why the generator may distort a test."""
    if result.lost_processes:
        text = f"{result.lost_processes} generator processes ended without samples."
        yield ValidityReason(LOST, Status.INVALID, text)
    yield from _processor(result)
    yield from _lag(plan, metrics)
    yield from _connections(plan, result)


def limits_of_client(plan: LoadPlan, result: GeneratorResult, metrics: LoadMetrics) -> tuple[ValidityReason, ...]:
    """Return the reasons why a test that asked for a limit says nothing about the target; empty if it does.

    A test that met the limit was met in spite of the generator, so only lost processes count: they sent less. A test
    that missed it counts if the requests alone missed it, without the waits and delays of the generator.
    """
    reasons = [reason for reason in client_reasons(plan, result, metrics) if reason.status is Status.INVALID]
    always = tuple(reason for reason in reasons if reason.code == LOST)
    if plan.chat is not None and result.chat is not None:
        return limits_of_chat_client(plan.chat, result, result.chat, reasons)
    value, limit_ms = metrics.value(HEADLINE), plan.p99_limit_ms or 0.0
    if always or not reasons or (value is not None and value <= limit_ms):
        return always
    # The generator is late in reading answers, too, about as much as in sending.
    own_ms = 2 * (metrics.value("generator_lag_p99_ms") or 0.0)
    is_missed_alone = _p99(unhindered_ms(result.samples)) - own_ms > limit_ms
    is_busy = any(reason.code in (PROCESSOR, CROWDED) for reason in reasons)
    return () if is_missed_alone and not is_busy else tuple(reasons)


def unhindered_ms(samples: LoadSamples) -> NDArray[np.float64]:
    """Return the response times of settled requests in ms as if each had found a free connection at once.

    A request that waited gets the service time of the request that was sent last when it was taken: an estimate, which
    during a stall of the target contains the stall.
    """
    response, waited = response_times_ms(samples), _waited(samples)
    sent = np.flatnonzero(samples.settled & (samples.sent_ns != NEVER))
    if len(sent) == 0 or not waited.any():
        return response
    order = sent[np.argsort(samples.sent_ns[sent], kind="stable")]
    before = np.searchsorted(samples.sent_ns[order], samples.taken_ns[waited], side="right") - 1
    like = order[np.maximum(before, 0)]
    service = (samples.done_ns - samples.sent_ns)[like] / NS_PER_MS
    estimate = np.where(samples.answered[like], service, UNANSWERED_MS)
    free = np.zeros(len(samples.outcome))
    free[samples.settled], free[waited] = response, estimate
    return np.asarray(free[samples.settled], dtype=np.float64)


def _waited(samples: LoadSamples) -> NDArray[np.bool_]:
    """Mask of the requests that waited for a connection, in vain or not."""
    never = np.equal(samples.outcome, RequestOutcome.NO_CONNECTION)
    sent = np.not_equal(samples.sent_ns, NEVER)
    waited: NDArray[np.bool_] = never | (sent & (samples.sent_ns - samples.taken_ns > WAITED_NS))
    return waited


def _p99(values: NDArray[np.float64]) -> float:
    return float(np.quantile(values, HEADLINE_P)) if len(values) else 0.0


def _processor(result: GeneratorResult) -> Iterator[ValidityReason]:
    if result.crowding > 1:
        text = "The generator had more processes than processors, so they delayed each other. Use fewer --processes."
        yield ValidityReason(CROWDED, Status.INVALID, text)
    if result.processor_share > PROCESSOR_INDICATIVE:
        status = Status.INVALID if result.processor_share > PROCESSOR_INVALID else Status.INDICATIVE
        text = (
            f"The generator used {result.processor_share:.0%} of its processors; at most {PROCESSOR_INDICATIVE:.0%} "
            "is normal. Use one generator process for each free processor (--processes), or several machines."
        )
        yield ValidityReason(PROCESSOR, status, text)


def _lag(plan: LoadPlan, metrics: LoadMetrics) -> Iterator[ValidityReason]:
    lag_ms = metrics.value("generator_lag_p99_ms")
    if lag_ms is None:
        return
    limit_ms = plan.chat.limits.ttft_ms if plan.chat is not None else plan.p99_limit_ms
    scale_ms = max(metrics.value(headline_of(plan)[0]) or 0.0, limit_ms or 0.0)
    indicative_ms = max(LAG_INDICATIVE_MS, LAG_INDICATIVE * scale_ms)
    if lag_ms > indicative_ms:
        invalid_ms = max(LAG_INVALID_MS, LAG_INVALID * scale_ms)
        text = (
            f"The generator itself was late by {lag_ms:.2f} ms at p99; at most {indicative_ms:.2f} ms is normal. Use "
            "more --processes, a lower rate, or a less busy machine."
        )
        yield ValidityReason(LAG, Status.INVALID if lag_ms > invalid_ms else Status.INDICATIVE, text)


def _connections(plan: LoadPlan, result: GeneratorResult) -> Iterator[ValidityReason]:
    """Yield that requests waited: invalid if the wait, and not the target, makes the headline."""
    waited = int(_waited(result.samples).sum())
    if waited <= MAX_WAITED_SHARE * len(result.samples.outcome):
        return
    response_ms, free_ms = _p99(response_times_ms(result.samples)), _p99(unhindered_ms(result.samples))
    is_distorted = response_ms - free_ms > max(LAG_INVALID_MS, LAG_INVALID * response_ms)
    status = Status.INVALID if is_distorted else Status.INDICATIVE
    if not result.pool_limits:
        text = (
            f"{waited:,} requests waited for a new connection, because the target closes connections or the pool "
            "grew. Their wait is part of the response time, not of the service time. A longer test, or --connections "
            f"of at least {result.peak:,}, avoids the waits of a pool that grows."
        )
        yield ValidityReason("connections.opening", Status.INDICATIVE, text)
        return
    limits = "; ".join(ADVICE[PoolLimit(limit)].format(most=f"{result.peak:,}") for limit in result.pool_limits)
    text = (
        f"{waited:,} requests waited here for a connection. Their wait is part of the response time, not of the "
        f"service time. The limit was not in the target, but here: {limits}."
    )
    if plan.protocol.is_http2:
        text += (
            f" A connection of HTTP/2 had at most {result.streams:,} requests at once: the target allows no more "
            f"(MAX_CONCURRENT_STREAMS), or {STREAMS_MAX}, the most that the generator uses."
        )
    yield ValidityReason(BUSY, status, text)
