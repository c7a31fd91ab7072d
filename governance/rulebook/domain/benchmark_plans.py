"""Plans: which benchmarks start by themselves when a review becomes mandatory, and on what kind of machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from weighbridge.core.documents import Reader
from weighbridge.core.metrics import number_words

CALIBRATION_ROWS = 512


class ScenarioName(StrEnum):
    """MLPerf's names of the ways to load a model."""

    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"
    OFFLINE = "Offline"
    SERVER = "Server"


# What a plan may set beside the number of samples: rows in a query, rows in a batch and batches at a time, arrivals per
# second and the milliseconds that 99 of 100 answers may take.
SETTINGS: Mapping[ScenarioName, tuple[str, ...]] = {
    ScenarioName.SINGLE_STREAM: (),
    ScenarioName.MULTI_STREAM: ("samples_per_query",),
    ScenarioName.OFFLINE: ("batch", "concurrency"),
    ScenarioName.SERVER: ("rate_per_s", "limit_ms"),
}


class HardwareClass(StrEnum):
    """Kinds of machines that measure; each has a queue of its own, `bench.cpu`, `bench.gpu`."""

    CPU = "cpu"
    GPU = "gpu"


class VariantName(StrEnum):
    """Cheaper variants that the toolkit can make of an ONNX file."""

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
        """As a sentence says them: `batch 8, concurrency 2`; "" for none."""
        return ", ".join(f"{name} {number_words(value)}" for name, value in self.settings)


@dataclass(frozen=True)
class AlternativesPlan:
    """Cheaper variants to make and to measure beside the model.

    A variant keeps the quality when a loss beyond `max_quality_drop` (a share: 0.01 is one point) is ruled out.
    """

    variants: tuple[VariantName, ...]
    max_quality_drop: Decimal
    calibration_rows: int = CALIBRATION_ROWS
    hardware: HardwareClass = HardwareClass.CPU

    @property
    def words(self) -> str:
        """As a sentence says it."""
        return f"{', '.join(self.variants)}, losing at most {self.max_quality_drop} of quality"


def read_benchmark(reader: Reader) -> BenchmarkPlan:
    """One entry of `benchmarks`; the scenario Server must say at which rate queries arrive."""
    scenario = reader.choice("scenario", ScenarioName)
    plan = BenchmarkPlan(
        scenario,
        reader.whole("min_samples", at_least=1),
        reader.flag("needs_data", default=False),
        reader.choice("hardware", HardwareClass, HardwareClass.CPU),
        _settings(reader.mapping("settings"), SETTINGS[scenario]),
    )
    if scenario is ScenarioName.SERVER and "rate_per_s" not in dict(plan.settings):
        raise reader.fault("settings", "must name rate_per_s: at which rate queries arrive.")
    return plan


def _settings(reader: Reader, names: tuple[str, ...]) -> tuple[tuple[str, Decimal], ...]:
    given = [(name, reader.number(name)) for name in names if reader.has(name)]
    for name, value in given:
        if value <= 0 or (name not in ("rate_per_s", "limit_ms") and value != int(value)):
            raise reader.fault(name, "must be a positive number, whole where it counts something.")
    reader.close()
    return tuple(given)


def read_alternatives(reader: Reader) -> AlternativesPlan | None:
    """The mapping `alternatives`; None where the policy plans none. Raises Invalid for a variant nobody can make."""
    if not reader.has_keys:
        return None
    names = reader.words("variants")
    if not names or not set(names) <= set(VariantName):
        raise reader.fault("variants", f"must list at least one of {', '.join(VariantName)}.")
    drop = reader.number("max_quality_drop")
    if not 0 < drop < 1:
        raise reader.fault("max_quality_drop", "is a share between 0 and 1; 0.01 is one point.")
    plan = AlternativesPlan(
        tuple(VariantName(name) for name in names),
        drop,
        reader.whole("calibration_rows", CALIBRATION_ROWS, at_least=1),
        reader.choice("hardware", HardwareClass, HardwareClass.CPU),
    )
    reader.close()
    return plan
