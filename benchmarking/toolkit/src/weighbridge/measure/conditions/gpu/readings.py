"""Readings of a graphics card by NVML, their summary, and the energy between two of them."""

import dataclasses
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.measure.conditions.gpu.cards import NvmlCard
from weighbridge.measure.conditions.model_file import BYTES_PER_MB

# Bits of nvmlDeviceGetCurrentClocksEventReasons that lower the clocks against the will of the person; an idle card and
# clocks that were set on purpose (bits 0x1, 0x2, 0x100) do not count.
THROTTLING: Mapping[int, str] = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "synchronized with a slower card",
    0x20: "heat, by the driver",
    0x40: "heat, by the hardware",
    0x80: "external power brake",
}
# The counter is renewed every 20 to 100 ms, so that a shorter run would be off by more than a tenth.
SHORTEST_S = 1.0
SUMMARIZED = ("utilization", "sm_mhz", "memory_mhz", "temperature_c", "power_w")


@dataclasses.dataclass(frozen=True)
class Reading:
    """The state of a card at one moment; None is what it does not tell.

    `used_mb` counts all processes. `utilization` is the share of the last sampling period of NVML (a sixth of a second
    to a second) in which any kernel ran; `energy_j` counts from the start of the driver.
    """

    used_mb: float | None
    utilization: float | None
    sm_mhz: int | None
    memory_mhz: int | None
    temperature_c: int | None
    power_w: float | None
    energy_j: float | None
    throttling: tuple[str, ...]


def read_card(card: NvmlCard) -> Reading:
    """Read the card once; raise NVMLError if it fails."""
    nvml, ask = card.nvml, card.ask
    memory, use = ask("nvmlDeviceGetMemoryInfo"), ask("nvmlDeviceGetUtilizationRates")
    power_mw, energy_mj = ask("nvmlDeviceGetPowerUsage"), ask("nvmlDeviceGetTotalEnergyConsumption")
    reasons = ask("nvmlDeviceGetCurrentClocksEventReasons")
    if reasons is None:
        # The name before driver 535.
        reasons = ask("nvmlDeviceGetCurrentClocksThrottleReasons") or 0
    return Reading(
        used_mb=memory.used / BYTES_PER_MB if memory else None,
        utilization=use.gpu / 100 if use else None,
        sm_mhz=ask("nvmlDeviceGetClockInfo", nvml.NVML_CLOCK_SM),
        memory_mhz=ask("nvmlDeviceGetClockInfo", nvml.NVML_CLOCK_MEM),
        temperature_c=ask("nvmlDeviceGetTemperature", nvml.NVML_TEMPERATURE_GPU),
        power_w=power_mw / 1_000 if power_mw is not None else None,
        energy_j=energy_mj / 1_000 if energy_mj is not None else None,
        throttling=tuple(name for bit, name in THROTTLING.items() if reasons & bit),
    )


def summary(readings: Sequence[Reading]) -> dict[str, Any]:
    """Return minimum, median and maximum of each quantity, None if the card does not tell, and the throttled readings.

    `throttling` has the number of readings with each reason.
    """
    throttled = Counter(reason for reading in readings for reason in reading.throttling)
    return {
        "readings": len(readings),
        "throttled_readings": sum(bool(reading.throttling) for reading in readings),
        "throttling": dict(sorted(throttled.items())),
        **{name: _range([getattr(reading, name) for reading in readings]) for name in SUMMARIZED},
    }


def _range(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"min": min(known), "median": statistics.median(known), "max": max(known)}


def energy_between(readings: Sequence[Reading], *, duration_s: float) -> tuple[float | None, str]:
    """Return the joules of the card from the first to the last reading, or None and the reason.

    Source: nvmlDeviceGetTotalEnergyConsumption, from Volta on. It counts the whole card, other processes included.
    """
    first, last = (reading.energy_j for reading in (readings[0], readings[-1]))
    if first is None or last is None:
        return None, "this card has no energy counter (only Volta and later do)."
    if last < first:
        return None, "the energy counter of the card went backward during the run, as after a reset."
    if duration_s < SHORTEST_S:
        return None, f"the energy counter of a card is too coarse for a run of less than {SHORTEST_S:g} s."
    return last - first, ""
