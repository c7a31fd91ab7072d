"""Watch of a graphics card during a run.

When to read: a reading takes about a dozen calls of the driver, which compete with the launches of kernels. With one
query at a time, the card is read between two queries, in the pauses in which the processor is probed (four a second):
no query is running, and no time is taken from one. Clocks, throttling and memory do not change in the microseconds
since the last kernel, and utilization and power are averages of NVML over its last sampling period. Where the next
query may be due or running (Server, and Offline with concurrent queries), nothing is read during the run, only right
before and right after it; a thread or a process that read in between would delay some queries, and so change the
percentiles. Energy is a counter and needs only those two readings.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weighbridge.measure.conditions.energy import MEASURED
from weighbridge.measure.conditions.gpu.cards import (
    CudaDevice,
    NotRecorded,
    NvmlCard,
    cuda_device,
    describe_card,
    nvml_card,
)
from weighbridge.measure.conditions.gpu.readings import Reading, energy_between, read_card, summary
from weighbridge.measure.metrics import point_metric
from weighbridge.measure.scenarios import RuntimeSettings

ENERGY, PEAK, DELTA = "gpu_energy_per_query_j", "gpu_peak_memory_mb", "gpu_peak_memory_delta_mb"
WORDS = {ENERGY: "No energy", PEAK: "No memory", DELTA: "No memory of the model"}
NO_MEMORY = "it does not tell how much of it is used."
DIVIDED = "The card is divided (MIG): NVML's readings are of the whole card, and other instances may be in use."


@dataclasses.dataclass(frozen=True)
class CardReport:
    """What a run says about its card: the part of the manifest, metrics, and the reason for each missing metric."""

    manifest: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    missing: Mapping[str, str]


@dataclasses.dataclass
class CardWatch:
    """The readings of a card; `not_recorded` says why there are none, or none after some."""

    device: CudaDevice | None = None
    described: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    not_recorded: str | None = None
    before: Reading | None = None
    other_processes: int | None = None
    readings: list[Reading] = dataclasses.field(default_factory=list)
    _card: NvmlCard | None = None

    def open(self, number: int) -> None:
        """Find the card with this number of CUDA, and read it before the model is loaded."""
        try:
            self.device = cuda_device(number)
            self._card = card = nvml_card(self.device)
        except NotRecorded as reason:
            self.not_recorded = reason.reason
            return
        with self._stopping_on_failure(card):
            self.described = describe_card(card)
            self.before = read_card(card)
            processes = card.ask("nvmlDeviceGetComputeRunningProcesses")
            self.other_processes = None if processes is None else len(processes)
            if self.described["is_divided"]:
                self._stop(DIVIDED)

    def read(self) -> None:
        """Read the card; after a failure, nothing is read any more, and the run goes on."""
        if self._card is not None:
            with self._stopping_on_failure(self._card):
                self.readings.append(read_card(self._card))

    def close(self) -> None:
        """Stop NVML."""
        self._stop(self.not_recorded)

    def report(self, *, queries: int, duration_s: float) -> CardReport:
        """Return the report of a run of so many queries, warm-up included, between the first and the last reading.

        After a failure of NVML there are no metrics, because the readings are not of the whole run.
        """
        reason = self.not_recorded
        joules, why = (None, reason) if reason else energy_between(self.readings, duration_s=duration_s)
        before_mb, peak_mb = self.before.used_mb if self.before else None, _peak(self.readings)
        values = {} if reason else {**_energy(joules, queries), **_memory(before_mb, peak_mb)}
        return CardReport(
            {
                "card": {"name": self.device and self.device.name, **self.described},
                "not_recorded": reason,
                "utilization_before": self.before and self.before.utilization,
                "other_processes": self.other_processes,
                "memory": {"before_mb": before_mb, "peak_mb": peak_mb},
                "energy_j": joules,
                **summary(self.readings),
            },
            values,
            {
                name: f"{words} of the card: {reason or (why if name == ENERGY else NO_MEMORY)}"
                for name, words in WORDS.items()
                if name not in values
            },
        )

    @contextlib.contextmanager
    def _stopping_on_failure(self, card: NvmlCard) -> Iterator[None]:
        try:
            yield
        except card.nvml.NVMLError as error:
            self._stop(f"NVML failed after {len(self.readings)} readings: {error}.")

    def _stop(self, reason: str | None) -> None:
        card, self._card, self.not_recorded = self._card, None, reason
        if card is not None:
            with contextlib.suppress(card.nvml.NVMLError):
                card.nvml.nvmlShutdown()


def _peak(readings: Sequence[Reading]) -> float | None:
    return max((reading.used_mb for reading in readings if reading.used_mb is not None), default=None)


def _energy(joules: float | None, queries: int) -> dict[str, dict[str, Any]]:
    if joules is None or not queries:
        return {}
    return {ENERGY: {**point_metric(joules / queries, "J"), "n": queries, "basis": MEASURED}}


def _memory(before_mb: float | None, peak_mb: float | None) -> dict[str, dict[str, Any]]:
    if peak_mb is None:
        return {}
    sizes = {PEAK: point_metric(peak_mb, "MB")}
    return sizes if before_mb is None else sizes | {DELTA: point_metric(max(0.0, peak_mb - before_mb), "MB")}


@contextlib.contextmanager
def watched(engine: RuntimeSettings) -> Iterator[CardWatch | None]:
    """Yield the watch of the card of a run, None for a run that uses no card of NVIDIA."""
    if engine.card is None:
        yield None
        return
    watch = CardWatch()
    watch.open(engine.card)
    try:
        yield watch
    finally:
        watch.close()
