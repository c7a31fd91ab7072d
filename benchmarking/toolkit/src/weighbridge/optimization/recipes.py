"""Recipes: the variants of an ONNX file, and which of them this machine can benefit from; `quantize` creates them."""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid


class RecipeKind(StrEnum):
    """The kind of change to the graph."""

    GRAPH = "graph"
    STATIC = "static"
    DYNAMIC = "dynamic"
    HALF = "half"


class CalibrationMethod(StrEnum):
    """How static quantization chooses the range of each tensor; ONNX Runtime's names."""

    MIN_MAX = "MinMax"
    ENTROPY = "Entropy"
    PERCENTILE = "Percentile"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One variant: weights get a scale per channel or per tensor; `calibration` gives the ranges."""

    name: str
    kind: RecipeKind
    per_channel: bool = False
    calibration: CalibrationMethod = CalibrationMethod.MIN_MAX

    @property
    def needs_rows(self) -> bool:
        """Whether it needs calibration rows."""
        return self.kind is RecipeKind.STATIC

    def words(self, *, rows: int) -> str:
        """Describe how the variant is created; `rows` is the number of calibration rows."""
        scale = "per channel" if self.per_channel else "per tensor"
        return {
            RecipeKind.GRAPH: "graph optimization (ONNX Runtime, extended level, saved)",
            RecipeKind.STATIC: f"static INT8 (QDQ, {scale}, {self.calibration.value} over {rows} rows)",
            RecipeKind.DYNAMIC: f"dynamic INT8 (weights {scale}, activations scaled at each inference)",
            RecipeKind.HALF: "FP16 (inputs and outputs stay FP32)",
        }[self.kind]


GRAPH = Recipe(name="graph-optimized", kind=RecipeKind.GRAPH)
PER_CHANNEL = Recipe(name="int8-static-per-channel", kind=RecipeKind.STATIC, per_channel=True)
PER_TENSOR = Recipe(name="int8-static-per-tensor", kind=RecipeKind.STATIC)
ENTROPY = Recipe(
    name="int8-static-entropy", kind=RecipeKind.STATIC, per_channel=True, calibration=CalibrationMethod.ENTROPY
)
PERCENTILE = Recipe(
    name="int8-static-percentile", kind=RecipeKind.STATIC, per_channel=True, calibration=CalibrationMethod.PERCENTILE
)
DYNAMIC = Recipe(name="int8-dynamic", kind=RecipeKind.DYNAMIC, per_channel=True)
HALF = Recipe(name="fp16", kind=RecipeKind.HALF)
RECIPES = (GRAPH, PER_CHANNEL, PER_TENSOR, ENTROPY, PERCENTILE, DYNAMIC, HALF)

NO_HALF = (
    "FP16 is not tried: ONNX Runtime has no half-precision kernels for this processor and computes in FP32 all the "
    "same, so that only the file shrinks, to a half; --force-fp16 measures it anyway."
)


def gains_from_half(machine: Mapping[str, Any]) -> bool:
    """Return whether ONNX Runtime computes in FP16 on a manifest's `machine`: on 64-bit Arm with asimdhp."""
    return machine["architecture"] in ("aarch64", "arm64") and "asimdhp" in machine["cpu_flags"]


def chosen(names: Sequence[str], *, machine: Mapping[str, Any], force_half: bool) -> tuple[list[Recipe], list[str]]:
    """Return the named recipes (default: all), and a sentence for each left out; raise Invalid for an unknown name."""
    known = {recipe.name: recipe for recipe in RECIPES}
    unknown = [name for name in names if name not in known]
    if unknown:
        text = f"There is no variant {unknown[0]!r}; the variants are {', '.join(known)}."
        raise Invalid(text, code="recipe", field="only")
    wanted = [recipe for recipe in RECIPES if recipe.name in names or not names]
    if HALF in wanted and not force_half and not gains_from_half(machine):
        return [recipe for recipe in wanted if recipe is not HALF], [NO_HALF]
    return wanted, []
