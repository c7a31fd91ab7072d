"""The verdict: whether a measurement is valid, indicative or invalid, with machine-readable reasons.

`indicative` means that the measurement is shown and compared together with the reasons; `invalid` means that it is not
evidence. The limits are specific to this project, except where another tool is named. A verdict does not judge the
model.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import numpy as np

from weighbridge.core.converter import to_document
from weighbridge.measure.conditions.interference import Interference
from weighbridge.measure.loops.latency import LatencyRun
from weighbridge.measure.metrics import PERCENTILES
from weighbridge.measure.scenarios import Scenario
from weighbridge.statistics.order_statistics import MLPERF_CONFIDENCE
from weighbridge.statistics.percentile_intervals import serial_percentile_interval
from weighbridge.statistics.trend import Trend, detect_movement

# 10 % is the limit of perf_analyzer between windows.
MAX_MOVEMENT = 0.1
# A process alone on a processor is interrupted a few times a second; with a competing process, hundreds of times.
MAX_PREEMPTIONS_PER_S = 50
# A card without work reports 0; a desktop on it, a few percent.
MAX_BUSY_CARD = 0.1


class Status(StrEnum):
    """The validity of a measurement."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"


@dataclasses.dataclass(frozen=True)
class ValidityReason:
    """A reason for a verdict: a stable code (`samples.too_few`), its status, and a message."""

    code: str
    status: Status
    message: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The reasons for doubts about a measurement."""

    reasons: tuple[ValidityReason, ...]

    @property
    def status(self) -> Status:
        """The worst status of the reasons; valid without reasons."""
        statuses = {reason.status for reason in self.reasons}
        return next((status for status in (Status.INVALID, Status.INDICATIVE) if status in statuses), Status.VALID)

    def as_document(self) -> dict[str, object]:
        """Return the verdict in the format of `weighbridge.result/1`."""
        return {"status": self.status.value, "reasons": to_document(self.reasons)}


def run_reasons(run: LatencyRun, *, scenario: Scenario, minimum: int) -> Iterator[ValidityReason]:
    """Yield the reasons that concern samples, stability and failures; `minimum` is for the headline."""
    yield from _samples(run, scenario, minimum)
    yield from _stability(run)
    yield from _movement(run)
    yield from _failures(run)


def machine_reasons(seen: Interference, *, governor: str, threads: int, workers: int = 1) -> Iterator[ValidityReason]:
    """Yield the reasons that concern the machine, independent of what was measured."""
    yield from _interference(seen, threads * workers)
    if threads > seen.cpus:
        text = f"{threads} threads were requested, but this process may use only {seen.cpus} processors."
        yield ValidityReason("environment.threads", Status.INDICATIVE, text)
    if governor not in ("performance", "not visible"):
        text = f"The frequency governor is {governor!r}, not 'performance'."
        yield ValidityReason("environment.governor", Status.INDICATIVE, text)


def card_reasons(card: Mapping[str, Any]) -> Iterator[ValidityReason]:
    """Yield the reasons that concern the graphics card: it lowered its clocks, or was busy before the model was loaded.

    `card` is the part `gpu` of a manifest. One throttled reading suffices, because the card does not lower its clocks
    without a need.
    """
    if card["throttling"]:
        kinds = ", ".join(card["throttling"])
        text = f"The card lowered its clocks in {card['throttled_readings']} of {card['readings']} readings ({kinds})."
        yield ValidityReason("gpu.throttling", Status.INDICATIVE, text)
    if (card["utilization_before"] or 0) > MAX_BUSY_CARD:
        text = f"The card was {card['utilization_before']:.0%} busy before the model was loaded."
        yield ValidityReason("gpu.busy", Status.INDICATIVE, text)


def _samples(run: LatencyRun, scenario: Scenario, minimum: int) -> Iterator[ValidityReason]:
    n = len(run.latencies_ns)
    if n < minimum:
        text = f"{n} samples cannot bound {scenario.HEADLINE}: it needs {minimum}, {minimum - n} more."
        yield ValidityReason("samples.too_few", Status.INVALID, text)
    elif n < scenario.min_samples:
        text = f"The run stopped at {n} of {scenario.min_samples} samples asked for, after {run.duration_s:.0f} s."
        yield ValidityReason("samples.stopped_early", Status.INDICATIVE, text)

    p = PERCENTILES.get(scenario.HEADLINE)
    bounds = serial_percentile_interval(run.latencies_ns, p) if p is not None else None
    if bounds is not None and bounds.confidence < MLPERF_CONFIDENCE:
        text = (
            f"The samples depend on each other so strongly that they bound {scenario.HEADLINE} only at a level of "
            f"{bounds.confidence:.0%}."
        )
        yield ValidityReason("samples.dependent", Status.INDICATIVE, text)


def _movement(run: LatencyRun) -> Iterator[ValidityReason]:
    change = detect_movement(run.latencies_ns.astype(np.float64))
    # A significant change may still be small.
    if change is None or 1 + abs(change.change) <= 1 + MAX_MOVEMENT:
        return
    if isinstance(change, Trend):
        text = f"Latency changed steadily by {change.change:+.0%} over the run (p = {change.p_value:.1g})."
        yield ValidityReason("stability.trend", Status.INDICATIVE, text)
    else:
        text = f"Latency stepped by {change.change:+.0%} after {change.at:.0%} of the run (p = {change.p_value:.1g})."
        yield ValidityReason("stability.level_shift", Status.INDICATIVE, text)


def _stability(run: LatencyRun) -> Iterator[ValidityReason]:
    if not run.warmup.is_settled:
        text = f"The warm-up had not settled after {run.warmup.inferences} inferences; the measurement started anyway."
        yield ValidityReason("stability.warmup", Status.INDICATIVE, text)
    n = len(run.latencies_ns)
    if n < 20:
        return
    first, second = np.median(run.latencies_ns[: n // 2]), np.median(run.latencies_ns[n // 2 :])
    drift = float(max(first, second) / max(min(first, second), 1.0))
    if drift > 1 + MAX_MOVEMENT:
        status = Status.INVALID if drift > 2.0 else Status.INDICATIVE
        text = f"The medians of the first and the second half of the run differ by {drift - 1:.0%}."
        yield ValidityReason("stability.drift", status, text)
    q1, median, q3 = np.quantile(run.latencies_ns, [0.25, 0.5, 0.75])
    # torch.utils.benchmark warns of significant environmental influence at 25 %.
    if (q3 - q1) / max(median, 1.0) > 0.25:
        text = f"The interquartile range of the latencies is {(q3 - q1) / max(median, 1.0):.0%} of the median."
        yield ValidityReason("stability.spread", Status.INDICATIVE, text)


def _failures(run: LatencyRun) -> Iterator[ValidityReason]:
    if run.failed:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(run.failures.items()))
        status = Status.INVALID if run.failed > 0.01 * run.attempts else Status.INDICATIVE
        yield ValidityReason("errors.inference", status, f"{run.failed} of {run.attempts} inferences failed ({kinds}).")


def _interference(seen: Interference, threads: int) -> Iterator[ValidityReason]:
    yield from steal_reasons(seen, during="run")
    free = seen.cpus - min(threads, seen.cpus)
    if seen.others_cpus is not None and seen.others_cpus > 0.75 * free + 0.1:
        text = f"Other work used {seen.others_cpus:.2f} of {seen.cpus} processors during the run."
        yield ValidityReason("interference.processors", Status.INDICATIVE, text)
    if seen.load_1min_before is not None and seen.load_1min_before > seen.cpus:
        text = f"The load average was {seen.load_1min_before:.1f} on {seen.cpus} processors before the run."
        yield ValidityReason("interference.load", Status.INDICATIVE, text)
    if seen.pressure_share is not None and seen.pressure_share > 0.25:
        text = f"Some task waited for a processor during {seen.pressure_share:.0%} of the run."
        yield ValidityReason("interference.pressure", Status.INDICATIVE, text)
    if seen.preemptions_per_s > MAX_PREEMPTIONS_PER_S:
        text = f"The kernel took the processor from this process {seen.preemptions_per_s:.0f} times a second."
        yield ValidityReason("interference.preemptions", Status.INDICATIVE, text)
    if seen.canary_ratio > 1.25:
        status = Status.INVALID if seen.canary_ratio > 4 else Status.INDICATIVE
        text = f"A fixed piece of work took up to {seen.canary_ratio:.2f} times its fastest time."
        yield ValidityReason("interference.canary", status, text)


def steal_reasons(seen: Interference, *, during: str) -> Iterator[ValidityReason]:
    """Yield the reason if the hypervisor took too much processor time during the `run` or the `test`."""
    if seen.steal_cpus is not None and seen.steal_cpus > 0.02 * seen.cpus:
        status = Status.INVALID if seen.steal_cpus > 0.25 * seen.cpus else Status.INDICATIVE
        text = f"The hypervisor took {seen.steal_cpus:.2f} of {seen.cpus} processors away during the {during}."
        yield ValidityReason("interference.steal", status, text)
