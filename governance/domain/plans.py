"""Plans: which benchmarks start by themselves when a review becomes mandatory, and on what kind of machine."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from governance.domain.documents import Reader

CALIBRATION_ROWS = 512


class Scenario(StrEnum):
    """MLPerf's names of the ways to load a model."""

    SINGLE_STREAM = "SingleStream"


class Hardware(StrEnum):
    """Kinds of machines that measure; each has a queue of its own, `bench.cpu`, `bench.gpu`."""

    CPU = "cpu"
    GPU = "gpu"


class Variant(StrEnum):
    """Cheaper variants that the toolkit can make of an ONNX file."""

    GRAPH_OPTIMISED = "graph-optimised"
    INT8_STATIC_PER_CHANNEL = "int8-static-per-channel"
    INT8_STATIC_PER_TENSOR = "int8-static-per-tensor"
    INT8_STATIC_ENTROPY = "int8-static-entropy"
    INT8_STATIC_PERCENTILE = "int8-static-percentile"
    INT8_DYNAMIC = "int8-dynamic"
    FP16 = "fp16"


@dataclass(frozen=True)
class BenchmarkPlan:
    """A benchmark of the model itself."""

    scenario: Scenario
    min_samples: int
    needs_data: bool
    hardware: Hardware = Hardware.CPU


@dataclass(frozen=True)
class AlternativesPlan:
    """Cheaper variants to make and to measure beside the model.

    A variant keeps the quality when a loss beyond `max_quality_drop` (a share: 0.01 is one point) is ruled out.
    """

    variants: tuple[Variant, ...]
    max_quality_drop: Decimal
    calibration_rows: int = CALIBRATION_ROWS
    hardware: Hardware = Hardware.CPU

    @property
    def words(self) -> str:
        """As a sentence says it."""
        return f"{', '.join(self.variants)}, losing at most {self.max_quality_drop} of quality"


def read_benchmark(reader: Reader) -> BenchmarkPlan:
    """One entry of `benchmarks`."""
    return BenchmarkPlan(
        reader.choice("scenario", Scenario),
        reader.whole("min_samples", at_least=1),
        reader.flag("needs_data", default=False),
        reader.choice("hardware", Hardware, Hardware.CPU),
    )


def read_alternatives(reader: Reader) -> AlternativesPlan | None:
    """The mapping `alternatives`; None where the policy plans none. Raises Invalid for a variant nobody can make."""
    if not reader.has_keys:
        return None
    names = reader.words("variants")
    if not names or not set(names) <= set(Variant):
        raise reader.fault("variants", f"must list at least one of {', '.join(Variant)}.")
    drop = reader.number("max_quality_drop")
    if not 0 < drop < 1:
        raise reader.fault("max_quality_drop", "is a share between 0 and 1; 0.01 is one point.")
    plan = AlternativesPlan(
        tuple(Variant(name) for name in names),
        drop,
        reader.whole("calibration_rows", CALIBRATION_ROWS, at_least=1),
        reader.choice("hardware", Hardware, Hardware.CPU),
    )
    reader.close()
    return plan
