"""The workshop: has variants made and compared in a child behind the fence, since the model may come from anybody."""

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
from weighbridge.systems.sandbox.outcome import LONGEST_REASON, death, forged
from weighbridge.systems.sandbox.process import Heard, RunFailed, fenced, printable
from weighbridge.tradeoff.shapes import read

CHILD = ("-m", "weighbridge.optimization.child")
# A variant comes back as text, a third longer than its bytes, and FP32 may have grown a little.
BYTES_TO_MB_OF_TEXT = 1.5 / 1_000_000
Follow = tuple[Callable[[float, str], None], Callable[[], bool]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where jobs are done: their limits, their threads, the folder for their job files."""

    limits: Limits
    threads: int
    workdir: Path

    def make(self, recipe: Recipe, *, model: Path, rows: Path, follow: Follow) -> bytes:
        """Return the variant of an ONNX file, calibrated with a data file; raise RunFailed or RunCanceled."""
        room_mb = max(self.limits.result_mb, round(model.stat().st_size * BYTES_TO_MB_OF_TEXT))
        said = self._ask(
            {
                "task": "make",
                "where": "while its variant was made",
                "model": str(model),
                "data": str(rows),
                "recipe": dataclasses.asdict(recipe),
            },
            reads=[model, rows],
            limits=dataclasses.replace(self.limits, result_mb=room_mb),
            follow=follow,
        )
        try:
            return base64.b64decode(said["model"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise forged("it holds no model") from error

    def compare(
        self, *, baseline: Path, variant: Path, rows: Path, settings: VariantComparisonSettings, follow: Follow
    ) -> VariantComparison:
        """Return how a variant compares with its baseline; raise RunFailed or RunCanceled."""
        said = self._ask(
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
            return read(VariantComparison, said)
        except Invalid as error:
            raise forged("it has not the form of a comparison") from error

    def _ask(
        self, job: Mapping[str, Any], *, reads: Sequence[Path], limits: Limits, follow: Follow
    ) -> Mapping[str, Any]:
        self.workdir.mkdir(parents=True, exist_ok=True)
        heard = fenced(
            program=CHILD,
            job={**job, "threads": self.threads},
            reads=reads,
            layers=layers_here(),
            limits=limits,
            threads=self.threads,
            workdir=self.workdir,
            follow=follow,
        )
        return read_answer(heard, limits=limits)


def read_answer(heard: Heard, *, limits: Limits) -> Mapping[str, Any]:
    """Return what the child handed over; raise RunFailed with its reason, or with ours where it died or
    said nonsense.
    """
    if heard.fence is None or heard.status != 0 or not heard.outcome:
        raise death(heard, limits=limits)
    try:
        said = json.loads(bytes(heard.outcome))
        if "refusal" in said:
            refusal = {key: str(said["refusal"][key]) for key in ("reason", "code")}
            raise RunFailed(printable(refusal["reason"], most=LONGEST_REASON), code=printable(refusal["code"], most=40))
        result: Mapping[str, Any] = said["result"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise forged("it has not the form of a result") from error
    return result
