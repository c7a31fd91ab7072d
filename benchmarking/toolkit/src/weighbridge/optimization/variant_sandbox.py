"""Create and compare variants in a sandboxed child process, because models are not trusted."""

import base64
import binascii
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.converter import from_document, to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions import manifest
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.stopping import Progress
from weighbridge.optimization.comparison import VariantComparison, VariantComparisonSettings, compare
from weighbridge.optimization.data_split import shown
from weighbridge.optimization.methods import quantize
from weighbridge.optimization.recipes import Recipe
from weighbridge.systems.sandbox.bubblewrap import layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import forged_result, read_answer
from weighbridge.systems.sandbox.process import run_child
from weighbridge.tradeoff.shapes import read

# A variant is returned as base 64 text, a third longer than its bytes, and may be a little larger than FP32.
BYTES_TO_MB_OF_TEXT = 1.5 / 1_000_000
Follow = tuple[Progress, Callable[[], bool]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariantSandbox:
    """The environment of jobs: their limits, threads and the folder for job files."""

    limits: Limits
    threads: int
    workdir: Path

    def make(self, recipe: Recipe, *, model: Path, rows: Path, inputs: InputSettings, follow: Follow) -> bytes:
        """Return the variant of an ONNX file, calibrated with a data file; raise RunFailed or RunCanceled."""
        room_mb = max(self.limits.result_mb, round(model.stat().st_size * BYTES_TO_MB_OF_TEXT))
        answer = self._ask(
            {
                "task": f"{__name__}:make_variant",
                "where": "while its variant was created",
                "model": str(model),
                "data": str(rows),
                "recipe": dataclasses.asdict(recipe),
                "inputs": to_document(inputs),
            },
            reads=[model, rows],
            limits=dataclasses.replace(self.limits, result_mb=room_mb),
            follow=follow,
        )
        try:
            return base64.b64decode(answer["model"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise forged_result("it contains no model") from error

    def compare(
        self, *, baseline: Path, variant: Path, rows: Path, settings: VariantComparisonSettings, follow: Follow
    ) -> VariantComparison:
        """Return the comparison of a variant with its baseline; raise RunFailed or RunCanceled."""
        answer = self._ask(
            {
                "task": f"{__name__}:compare_variant",
                "where": "while it was compared",
                "baseline": str(baseline),
                "variant": str(variant),
                "data": str(rows),
                "settings": to_document(settings),
            },
            reads=[baseline, variant, rows],
            limits=self.limits,
            follow=follow,
        )
        try:
            return read(VariantComparison, answer)
        except Invalid as error:
            raise forged_result("it is not a comparison") from error

    def _ask(
        self, job: Mapping[str, Any], *, reads: Sequence[Path], limits: Limits, follow: Follow
    ) -> Mapping[str, Any]:
        output = run_child(
            job={**job, "threads": self.threads},
            reads=reads,
            layers=layers_here(),
            limits=limits,
            threads=self.threads,
            workdir=self.workdir,
            follow=follow,
        )
        return read_answer(output, limits=limits)


def make_variant(job: Mapping[str, Any], say: Progress, _: object) -> dict[str, Any]:
    """Create the variant of `job["model"]` from `job["recipe"]`, in the child; return it in base 64."""
    model, recipe = Path(job["model"]), from_document(Recipe, job["recipe"], name="recipe")
    inputs = from_document(InputSettings, job["inputs"], name="inputs")
    rows = shown(model, Path(job["data"]), threads=job["threads"], say=say, settings=inputs)
    feeds = rows if recipe.needs_rows else ()
    made = quantize.make(model.read_bytes(), recipe, feeds=feeds, machine=manifest.describe_machine())
    return {"model": base64.b64encode(made).decode()}


def compare_variant(job: Mapping[str, Any], say: Progress, _: object) -> dict[str, Any]:
    """Compare `job["variant"]` with `job["baseline"]` on the rows of `job["data"]`, in the child."""
    compared = compare(
        baseline=Path(job["baseline"]),
        variant=Path(job["variant"]),
        data=Path(job["data"]),
        settings=from_document(VariantComparisonSettings, job["settings"], name="settings"),
        on_progress=say,
    )
    return dataclasses.asdict(compared)
