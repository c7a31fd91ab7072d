"""The verdict: may this measurement be believed? valid | indicative | invalid, with reasons a program can read.

`indicative` means: shown and compared, but with the doubt beside it. `invalid` means: no evidence. The limits are
this project's own; where a peer has one, it is named. A verdict says nothing about whether the model is good enough.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from enum import StrEnum

import numpy as np

from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.scenarios import Scenario
from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE
from weighbridge.statistics.resampling import serial_percentile_interval
from weighbridge.statistics.trend import Trend, movement

# 10 % is perf_analyzer's limit between windows.
MOST_MOVEMENT = 0.1
# Alone on a processor a process is interrupted a few times a second; beside another one, some hundred times.
MOST_PREEMPTIONS_PER_S = 50
# The percentile behind each headline that is one.
HEADLINES = {"latency_p90_ms": 0.9, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}


class Status(StrEnum):
    """How far a measurement may be believed."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"


@dataclasses.dataclass(frozen=True)
class Doubt:
    """One doubt: a stable code (`samples.too_few`), what it does to the verdict, and a sentence for a person."""

    code: str
    status: Status
    message: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The worst of the reasons; without any, valid."""

    status: Status
    reasons: tuple[Doubt, ...]

    def as_document(self) -> dict[str, object]:
        """Return the verdict in the form of `weighbridge.result/1`."""
        reasons = [
            {"code": reason.code, "status": reason.status.value, "message": reason.message} for reason in self.reasons
        ]
        return {"status": self.status.value, "reasons": reasons}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunCircumstances:
    """What is known about the machine and the inputs that is not in the run itself."""

    interference: Interference
    governor: str
    free_dimensions: tuple[str, ...] = ()


def judge(run: LatencyRun, *, scenario: Scenario, minimum: int, circumstances: RunCircumstances) -> Verdict:
    """Weigh samples, stability, failures, interference and environment; `minimum` is the headline's floor
    of samples.
    """
    reasons = (
        *_samples(run, scenario, minimum),
        *_stability(run),
        *_movement(run),
        *_failures(run),
        *machine_reasons(circumstances, threads=scenario.threads, workers=scenario.workers),
    )
    return Verdict(worst(reasons), reasons)


def machine_reasons(circumstances: RunCircumstances, *, threads: int, workers: int = 1) -> Iterator[Doubt]:
    """Yield the doubts that the machine and its neighbors raise, whatever was measured."""
    yield from _interference(circumstances.interference, threads * workers)
    yield from _environment(circumstances, threads)


def worst(reasons: Sequence[Doubt]) -> Status:
    """Return the most doubtful status among the reasons, VALID if there is none."""
    statuses = {reason.status for reason in reasons}
    return next((status for status in (Status.INVALID, Status.INDICATIVE) if status in statuses), Status.VALID)


def _samples(run: LatencyRun, scenario: Scenario, minimum: int) -> Iterator[Doubt]:
    n = len(run.latencies_ns)
    if n < minimum:
        text = f"{n} samples cannot bound {scenario.HEADLINE}: it needs {minimum}, {minimum - n} more."
        yield Doubt("samples.too_few", Status.INVALID, text)
    elif n < scenario.min_samples:
        text = f"The run stopped at {n} of {scenario.min_samples} samples asked for, after {run.duration_s:.0f} s."
        yield Doubt("samples.stopped_early", Status.INDICATIVE, text)

    p = HEADLINES.get(scenario.HEADLINE)
    bounds = serial_percentile_interval(run.latencies_ns, p) if p is not None else None
    if bounds is not None and bounds.confidence < MLPERF_CONFIDENCE:
        text = (
            f"The samples follow each other so closely that they bound {scenario.HEADLINE} at a level of "
            f"{bounds.confidence:.0%} only."
        )
        yield Doubt("samples.dependent", Status.INDICATIVE, text)


def _movement(run: LatencyRun) -> Iterator[Doubt]:
    found = movement(run.latencies_ns.astype(np.float64))
    # A movement that is certain may still be slight.
    if found is None or 1 + abs(found.change) <= 1 + MOST_MOVEMENT:
        return
    if isinstance(found, Trend):
        text = f"Latency moved steadily, by {found.change:+.0%} over the run (p = {found.p_value:.1g})."
        yield Doubt("stability.trend", Status.INDICATIVE, text)
    else:
        text = f"Latency stepped by {found.change:+.0%} after {found.at:.0%} of the run (p = {found.p_value:.1g})."
        yield Doubt("stability.level_shift", Status.INDICATIVE, text)


def _stability(run: LatencyRun) -> Iterator[Doubt]:
    if not run.warmup.is_settled:
        text = f"The warm-up had not settled after {run.warmup.inferences} inferences; the measurement began anyway."
        yield Doubt("stability.warmup", Status.INDICATIVE, text)
    n = len(run.latencies_ns)
    if n < 20:
        return
    first, second = np.median(run.latencies_ns[: n // 2]), np.median(run.latencies_ns[n // 2 :])
    drift = float(max(first, second) / max(min(first, second), 1.0))
    if drift > 1 + MOST_MOVEMENT:
        status = Status.INVALID if drift > 2.0 else Status.INDICATIVE
        text = f"The medians of the first and the second half of the run differ by {drift - 1:.0%}."
        yield Doubt("stability.drift", status, text)
    q1, median, q3 = np.quantile(run.latencies_ns, [0.25, 0.5, 0.75])
    # 25 % is where torch.utils.benchmark warns of significant environmental influence.
    if (q3 - q1) / max(median, 1.0) > 0.25:
        text = f"The middle half of the latencies spreads over {(q3 - q1) / max(median, 1.0):.0%} of the median."
        yield Doubt("stability.spread", Status.INDICATIVE, text)


def _failures(run: LatencyRun) -> Iterator[Doubt]:
    if run.failed:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(run.failures.items()))
        status = Status.INVALID if run.failed > 0.01 * run.attempts else Status.INDICATIVE
        yield Doubt("errors.inference", status, f"{run.failed} of {run.attempts} inferences failed ({kinds}).")


def _interference(seen: Interference, threads: int) -> Iterator[Doubt]:
    if seen.steal_cpus is not None and seen.steal_cpus > 0.02 * seen.cpus:
        status = Status.INVALID if seen.steal_cpus > 0.25 * seen.cpus else Status.INDICATIVE
        text = f"The hypervisor took {seen.steal_cpus:.2f} of {seen.cpus} processors away during the run."
        yield Doubt("interference.steal", status, text)
    free = seen.cpus - min(threads, seen.cpus)
    if seen.others_cpus is not None and seen.others_cpus > 0.75 * free + 0.1:
        text = f"Other work used {seen.others_cpus:.2f} of {seen.cpus} processors during the run."
        yield Doubt("interference.processors", Status.INDICATIVE, text)
    if seen.load_1min_before is not None and seen.load_1min_before > seen.cpus:
        text = f"The load average was {seen.load_1min_before:.1f} on {seen.cpus} processors before the run."
        yield Doubt("interference.load", Status.INDICATIVE, text)
    if seen.pressure_share is not None and seen.pressure_share > 0.25:
        text = f"Some task waited for a processor during {seen.pressure_share:.0%} of the run."
        yield Doubt("interference.pressure", Status.INDICATIVE, text)
    if seen.preemptions_per_s > MOST_PREEMPTIONS_PER_S:
        text = f"The kernel took the processor from this process {seen.preemptions_per_s:.0f} times a second."
        yield Doubt("interference.preemptions", Status.INDICATIVE, text)
    if seen.canary_ratio > 1.25:
        status = Status.INVALID if seen.canary_ratio > 4 else Status.INDICATIVE
        text = f"A fixed piece of work took {seen.canary_ratio:.2f} times as long at its slowest as at its fastest."
        yield Doubt("interference.canary", status, text)


def _environment(circumstances: RunCircumstances, threads: int) -> Iterator[Doubt]:
    cpus = circumstances.interference.cpus
    if threads > cpus:
        text = f"{threads} threads were asked for, but this process may use {cpus} processors."
        yield Doubt("environment.threads", Status.INDICATIVE, text)
    if circumstances.governor not in ("performance", "not visible"):
        text = f"The frequency governor is {circumstances.governor!r}, not 'performance'."
        yield Doubt("environment.governor", Status.INDICATIVE, text)
    if circumstances.free_dimensions:
        names = ", ".join(circumstances.free_dimensions)
        text = f"Free dimensions ({names}) were measured at size 1; give --data with real inputs."
        yield Doubt("environment.inputs", Status.INDICATIVE, text)
