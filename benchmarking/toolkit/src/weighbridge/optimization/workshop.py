"""The workshop: creates and compares variants in a sandboxed child process, because models are not trusted."""

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.optimization.comparison import VariantComparison, VariantComparisonSettings
from weighbridge.optimization.recipes import Recipe
from weighbridge.systems.sandbox.bubblewrap import layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import MAX_REASON_CHARS, exit_failure, forged_result
from weighbridge.systems.sandbox.process import ChildOutput, RunFailed, run_child, sanitize_text
from weighbridge.tradeoff.shapes import read

CHILD = ("-m", "weighbridge.optimization.child")
# A variant is returned as base 64 text, a third longer than its bytes, and may be a little larger than FP32.
BYTES_TO_MB_OF_TEXT = 1.5 / 1_000_000
Follow = tuple[Callable[[float, str], None], Callable[[], bool]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workshop:
    """The environment of jobs: their limits, threads and the folder for job files."""

    limits: Limits
    threads: int
    workdir: Path

    def make(self, recipe: Recipe, *, model: Path, rows: Path, follow: Follow) -> bytes:
        """Return the variant of an ONNX file, calibrated with a data file; raise RunFailed or RunCanceled."""
        room_mb = max(self.limits.result_mb, round(model.stat().st_size * BYTES_TO_MB_OF_TEXT))
        answer = self._ask(
            {
                "task": "make",
                "where": "while its variant was created",
                "model": str(model),
                "data": str(rows),
                "recipe": dataclasses.asdict(recipe),
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
                "task": "compare",
                "where": "while it was compared",
                "baseline": str(baseline),
                "variant": str(variant),
                "data": str(rows),
                "settings": dataclasses.asdict(settings),
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
        self.workdir.mkdir(parents=True, exist_ok=True)
        output = run_child(
            program=CHILD,
            job={**job, "threads": self.threads},
            reads=reads,
            layers=layers_here(),
            limits=limits,
            threads=self.threads,
            workdir=self.workdir,
            follow=follow,
        )
        return read_answer(output, limits=limits)


def read_answer(output: ChildOutput, *, limits: Limits) -> Mapping[str, Any]:
    """Return the result of the child process; raise RunFailed with its reason, or if it died or returned an invalid
    result.
    """
    if output.seals is None or output.status != 0 or not output.outcome:
        raise exit_failure(output, limits=limits)
    try:
        outcome = json.loads(bytes(output.outcome))
        if "refusal" in outcome:
            refusal = {key: str(outcome["refusal"][key]) for key in ("reason", "code")}
            raise RunFailed(
                sanitize_text(refusal["reason"], most=MAX_REASON_CHARS), code=sanitize_text(refusal["code"], most=40)
            )
        result: Mapping[str, Any] = outcome["result"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise forged_result("it is not a result") from error
    return result
