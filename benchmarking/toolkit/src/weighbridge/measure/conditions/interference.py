"""Interference: other work on the machine during a measurement.

Cheap indicators: a spin canary (a fixed piece of work timed before, during and after), processor time taken by the
hypervisor (steal) and by other processes, involuntary context switches, and the pressure and load metrics of the kernel
if readable.
"""

import dataclasses
import os
import resource
import statistics
from collections.abc import Sequence
from pathlib import Path

from weighbridge.measure.stopping import Clock

SPIN_ROUNDS = 20_000


@dataclasses.dataclass(frozen=True)
class KernelCounters:
    """Kernel counters at one moment; None if not readable."""

    at_ns: int
    own_cpu_s: float
    busy_s: float | None
    steal_s: float | None
    pressure_s: float | None
    load_1min: float | None
    preemptions: int = 0


@dataclasses.dataclass(frozen=True)
class Interference:
    """Interference between two readings; None if not visible.

    `others_cpus` and `steal_cpus` count processors (0.5 is half of one); `canary_ratio` is the slowest tenth of the
    spins over the fastest one; `pressure_share` is the share of time in which some task waited for a processor;
    `preemptions_per_s` counts involuntary context switches of this process.
    """

    others_cpus: float | None
    steal_cpus: float | None
    pressure_share: float | None
    load_1min_before: float | None
    canary_ratio: float
    cpus: int
    preemptions_per_s: float = 0.0

    def as_document(self) -> dict[str, float | int | None]:
        """Return the values, rounded to three digits."""
        values = dataclasses.asdict(self)
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in values.items()}


def spin_ns(clock: Clock, *, repeats: int = 3) -> int:
    """Time a fixed piece of pure Python work and return the median in nanoseconds."""
    times = []
    for _ in range(repeats):
        begun = clock()
        total = 0
        for number in range(SPIN_ROUNDS):
            total += number
        times.append(clock() - begun)
    return int(statistics.median(times))


def read_counters(clock: Clock, *, proc: Path = Path("/proc")) -> KernelCounters:
    """Read the kernel counters from `proc`."""
    busy_s, steal_s = _processor_seconds(proc / "stat")
    times = os.times()
    return KernelCounters(
        at_ns=clock(),
        own_cpu_s=times.user + times.system,
        busy_s=busy_s,
        steal_s=steal_s,
        pressure_s=_pressure_seconds(proc / "pressure" / "cpu"),
        load_1min=_load(proc / "loadavg"),
        preemptions=resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
    )


def interference_between(
    before: KernelCounters, after: KernelCounters, *, spins_ns: Sequence[int], cpus: int
) -> Interference:
    """Return the interference between two readings, with the times of the canary."""
    span_s = max((after.at_ns - before.at_ns) / 1e9, 1e-9)

    def share(first: float | None, last: float | None, own: float = 0.0) -> float | None:
        return None if first is None or last is None else max(0.0, (last - first - own) / span_s)

    return Interference(
        others_cpus=share(before.busy_s, after.busy_s, after.own_cpu_s - before.own_cpu_s),
        steal_cpus=share(before.steal_s, after.steal_s),
        pressure_share=share(before.pressure_s, after.pressure_s),
        load_1min_before=before.load_1min,
        canary_ratio=slowdown(spins_ns),
        cpus=cpus,
        preemptions_per_s=(after.preemptions - before.preemptions) / span_s,
    )


def slowdown(spins_ns: Sequence[int]) -> float:
    """Return the 90th percentile (nearest rank) of the spins over their minimum: 1.0 means no disturbance."""
    ordered = sorted(spins_ns)
    return ordered[-(len(ordered) // 10) - 1] / max(ordered[0], 1) if ordered else 1.0


def text_of(path: Path) -> str:
    """Return the text of a file of the kernel, empty if it is not readable."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _processor_seconds(path: Path) -> tuple[float | None, float | None]:
    """Return (busy, steal) seconds over all processors; idle and I/O wait do not count as busy."""
    fields = text_of(path).partition("\n")[0].split()
    if len(fields) < 9 or fields[0] != "cpu":
        return None, None
    ticks = os.sysconf("SC_CLK_TCK")
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[1:9])
    return (user + nice + system + irq + softirq) / ticks, steal / ticks


def _pressure_seconds(path: Path) -> float | None:
    some = text_of(path).partition("\n")[0]
    _, separator, total = some.partition("total=")
    return int(total) / 1e6 if separator else None


def _load(path: Path) -> float | None:
    text = text_of(path)
    return float(text.split()[0]) if text else None
