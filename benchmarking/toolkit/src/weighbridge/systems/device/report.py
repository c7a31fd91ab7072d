"""The report of a device, read strictly: a browser may send anything."""

import base64
import binascii
import dataclasses
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.systems.device.answers import Answer
from weighbridge.systems.device.job import MAX_SAMPLES
from weighbridge.systems.device.runtime import ENTRIES

REPORT = DocumentLimits(bytes_max=24_000_000, depth_max=8, values_max=100_000)
REFUSAL = DocumentLimits(bytes_max=10_000, depth_max=2, values_max=10)
DAY_MS = 86_400_000.0
MAX_BLOCK = 1_000_000
MAX_TEXT_CHARS = 80
PRESSURES = ("nominal", "fair", "serious", "critical")
# Clocks of two machines, and the time that a request takes.
SLACK_MS = 2_000.0
PLAIN = re.compile(r"[\w .,:;()+/'-]*", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """What a browser tells about its device, no more than the manifest needs; None for what it does not tell."""

    browser: str
    platform: str
    is_mobile: bool
    processors: int
    memory_gb: float | None
    adapter: str | None
    is_isolated: bool

    def __post_init__(self) -> None:
        """Raise Invalid for long or odd texts, and numbers that no device has."""
        for text in (self.browser, self.platform, self.adapter or ""):
            if len(text) > MAX_TEXT_CHARS or not PLAIN.fullmatch(text):
                raise Invalid("The description of the device has a text that is not plain.", field="device")
        _check(1 <= self.processors <= 4_096, "processors")
        _check_range("memory_gb", 0, 65_536, self.memory_gb)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Battery:
    """The charge (0 to 1) at the start and the end of the run, and whether the device was charging all the time."""

    first: float
    last: float
    is_charging: bool

    def __post_init__(self) -> None:
        """Raise Invalid for a charge that is no share."""
        _check_range("battery", 0, 1, self.first, self.last)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WarmUpTimes:
    """The warm-up of a page: inferences, duration, and the means of its latest pieces in milliseconds."""

    inferences: int
    duration_ms: float
    values_ms: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise Invalid for values that no warm-up has."""
        _check(1 <= self.inferences <= MAX_BLOCK * 1_000 and 1 <= len(self.values_ms) <= 1_000, "warm_up")
        _check_range("warm_up", 0, DAY_MS, self.duration_ms, *self.values_ms)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """What a page measured, times in milliseconds.

    `latencies` are base64 of little-endian float64: the time of a block of `block` queries each, in order. `resolution`
    is the step of the clock. `pressure` is the highest state of the Compute Pressure API.
    """

    run: str
    digest: str
    weights: dict[str, str]
    backend: str
    device: Device
    battery: Battery | None
    pressure: str | None
    resolution_ms: float
    download_ms: float
    runtime_ms: float
    load_ms: float
    first_ms: float
    warm_up: WarmUpTimes
    block: int
    duration_ms: float
    latencies: str
    answers: tuple[dict[str, Answer], ...]

    def __post_init__(self) -> None:
        """Raise Invalid for values out of their range."""
        _check(self.backend in ENTRIES, "backend")
        _check(self.pressure is None or self.pressure in PRESSURES, "pressure")
        _check(1 <= self.block <= MAX_BLOCK, "block")
        times = (self.resolution_ms, self.download_ms, self.runtime_ms, self.load_ms, self.first_ms, self.duration_ms)
        _check_range("times", 0, DAY_MS, *times)

    def latencies_ns(self) -> NDArray[np.int64]:
        """Return the mean time of a query in each block in nanoseconds; raise Invalid for anything but such times."""
        try:
            content = base64.b64decode(self.latencies, validate=True)
            times_ms = np.frombuffer(content, dtype="<f8")
        except (binascii.Error, ValueError) as error:
            raise Invalid("The times of the queries cannot be read.", field="latencies") from error
        _check(1 <= len(times_ms) <= MAX_SAMPLES, "latencies")
        _check(bool(np.isfinite(times_ms).all()) and times_ms.min() > 0 and times_ms.max() <= DAY_MS, "latencies")
        if times_ms.sum() > self.duration_ms * 1.01 + SLACK_MS:
            raise Invalid("The queries took longer than the whole run.", field="latencies")
        return np.maximum(np.rint(times_ms * 1e6 / self.block), 1).astype(np.int64)

    @property
    def measured_ms(self) -> float:
        """The time that the device claims to have measured."""
        return self.load_ms + self.first_ms + self.warm_up.duration_ms + self.duration_ms


def _check(is_right: bool, field: str) -> None:
    if not is_right:
        raise Invalid(f"The report of the device has a value of {field} that cannot be.", field=field)


def _check_range(field: str, lowest: float, highest: float, *numbers: float | None) -> None:
    known = [number for number in numbers if number is not None]
    _check(all(math.isfinite(number) and lowest <= number <= highest for number in known), field)


def read_report(body: bytes) -> Report:
    """Return the report in the body of a request; raise Invalid or TooLarge for anything else."""
    document: Any = parse_json(body, name="The report", limits=REPORT)
    return from_document(Report, document, name="report")


def read_refusal(body: bytes) -> tuple[str, str]:
    """Return the run and the reason of a device that could not measure, safe to print; raise Invalid."""
    from weighbridge.systems.sandbox.process import sanitize_text

    document = parse_json(body, name="The refusal", limits=REFUSAL, is_cleaning=True)
    if not isinstance(document, dict) or not all(isinstance(document.get(key), str) for key in ("run", "reason")):
        raise Invalid("A refusal has a run and a reason.", field="reason")
    return document["run"], sanitize_text(document["reason"], most=500)
