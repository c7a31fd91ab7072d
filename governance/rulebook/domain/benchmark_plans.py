"""Benchmark plans: the benchmarks that start automatically when a review becomes mandatory, and their hardware."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.documents import Reader
from weighbridge.core.metrics.values import number_text

CALIBRATION_ROWS = 512


class ScenarioName(StrEnum):
    """The MLPerf scenarios."""

    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"
    OFFLINE = "Offline"
    SERVER = "Server"


# The settings of a plan besides the number of samples: rows in a query, rows in a batch and concurrent batches,
# arrivals per second, and the limit of the 99th percentile in milliseconds.
SETTINGS: Mapping[ScenarioName, tuple[str, ...]] = {
    ScenarioName.SINGLE_STREAM: (),
    ScenarioName.MULTI_STREAM: ("samples_per_query",),
    ScenarioName.OFFLINE: ("batch", "concurrency"),
    ScenarioName.SERVER: ("rate_per_s", "limit_ms"),
}


class HardwareClass(StrEnum):
    """Classes of machines for benchmarks. Each has its own queue, `bench.cpu` or `bench.gpu`."""

    CPU = "cpu"
    GPU = "gpu"


class VariantName(StrEnum):
    """Cheaper variants that the toolkit can create from an ONNX file."""

    GRAPH_OPTIMIZED = "graph-optimized"
    INT8_STATIC_PER_CHANNEL = "int8-static-per-channel"
    INT8_STATIC_PER_TENSOR = "int8-static-per-tensor"
    INT8_STATIC_ENTROPY = "int8-static-entropy"
    INT8_STATIC_PERCENTILE = "int8-static-percentile"
    INT8_DYNAMIC = "int8-dynamic"
    FP16 = "fp16"


@dataclass(frozen=True)
class BenchmarkPlan:
    """A benchmark of the model itself."""

    scenario: ScenarioName
    min_samples: int
    needs_data: bool
    hardware: HardwareClass = HardwareClass.CPU
    settings: tuple[tuple[str, Decimal], ...] = ()

    @property
    def settings_words(self) -> str:
        """The settings as text: `batch 8, concurrency 2`; "" for none."""
        return ", ".join(f"{name} {number_text(value)}" for name, value in self.settings)


@dataclass(frozen=True)
class AlternativesPlan:
    """Cheaper variants to create and measure in addition to the model.

    A variant keeps the quality if a loss above `max_quality_drop` (a share: 0.01 is one percentage point) is ruled out.
    """

    variants: tuple[VariantName, ...]
    max_quality_drop: Decimal
    calibration_rows: int = CALIBRATION_ROWS
    hardware: HardwareClass = HardwareClass.CPU

    @property
    def words(self) -> str:
        """The plan as text."""
        return f"{', '.join(self.variants)}, with a quality loss of at most {self.max_quality_drop}"


def read_benchmark(reader: Reader) -> BenchmarkPlan:
    """Read one entry of `benchmarks`. The scenario Server needs an arrival rate."""
    scenario = reader.choice("scenario", ScenarioName)
    plan = BenchmarkPlan(
        scenario,
        reader.whole("min_samples", at_least=1),
        reader.flag("needs_data", default=False),
        reader.choice("hardware", HardwareClass, HardwareClass.CPU),
        _settings(reader.mapping("settings"), SETTINGS[scenario]),
    )
    if scenario is ScenarioName.SERVER and "rate_per_s" not in dict(plan.settings):
        raise reader.fault("settings", "must set rate_per_s, the rate at which queries arrive.")
    return plan


def _settings(reader: Reader, names: tuple[str, ...]) -> tuple[tuple[str, Decimal], ...]:
    settings = [(name, reader.number(name)) for name in names if reader.has(name)]
    for name, value in settings:
        if value <= 0 or (name not in ("rate_per_s", "limit_ms") and value != int(value)):
            raise reader.fault(name, "must be a positive number, and a whole number if it is a count.")
    reader.close()
    return tuple(settings)


def read_alternatives(reader: Reader) -> AlternativesPlan | None:
    """Read the mapping `alternatives`; None if the policy has none. Raises Invalid for an unknown variant."""
    if not reader.has_keys:
        return None
    names = reader.words("variants")
    if not names or not set(names) <= set(VariantName):
        raise reader.fault("variants", f"must list at least one of {', '.join(VariantName)}.")
    drop = reader.number("max_quality_drop")
    if not 0 < drop < 1:
        raise reader.fault("max_quality_drop", "must be a share between 0 and 1; 0.01 is one percentage point.")
    plan = AlternativesPlan(
        tuple(VariantName(name) for name in names),
        drop,
        reader.whole("calibration_rows", CALIBRATION_ROWS, at_least=1),
        reader.choice("hardware", HardwareClass, HardwareClass.CPU),
    )
    reader.close()
    return plan
