"""Compared: models side by side in a child behind every layer that works here, and what of its word is believed."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.core.canonical import canonical_bytes, canonical_json
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import sealed
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.systems.sandbox.bubblewrap import layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import CODE, LONGEST_REASON, VERDICTS, death, forged
from weighbridge.systems.sandbox.process import Following, Heard, RunEnded, RunFailed, fenced, printable

if TYPE_CHECKING:
    from weighbridge.measure.studies.comparison import ComparisonSettings

SCHEMA = "weighbridge.comparison/1"
CHILD = ("-m", "weighbridge.systems.sandbox.compare_child")


def compare_isolated(
    *,
    models: Mapping[str, Path],
    data: Path | None,
    settings: "ComparisonSettings",
    limits: Limits,
    workdir: Path,
    follow: Following,
) -> dict[str, Any]:
    """Compare ONNX files in a child process and return its `weighbridge.comparison/1` mapping.

    Raises RunFailed and RunCanceled; what had been found by then is their `partial`, where `follow` gives time to wrap
    up. The child and all its descendants are dead in every case.
    """
    models = {name: path.resolve() for name, path in models.items()}
    data = data.resolve() if data is not None else None
    job = {
        "models": {name: str(path) for name, path in models.items()},
        "data": str(data) if data is not None else None,
        "settings": to_document(settings),
    }
    workdir.mkdir(parents=True, exist_ok=True)
    try:
        heard = fenced(
            program=CHILD,
            job=job,
            reads=[*models.values(), *([data] if data is not None else [])],
            layers=layers_here(),
            limits=limits,
            threads=settings.threads,
            workdir=workdir.resolve(),
            follow=follow,
        )
    except RunEnded as ended:
        # Stopped before anything was timed, it may have handed over a refusal, or nothing.
        with contextlib.suppress(RunFailed):
            ended.partial = read_comparison(ended.heard or Heard(), models=models, settings=job["settings"])
        raise
    if heard.fence is None or heard.status != 0 or not heard.outcome:
        raise death(heard, limits=limits)
    return read_comparison(heard, models=models, settings=job["settings"])


def read_comparison(heard: Heard, *, models: Mapping[str, Path], settings: object) -> dict[str, Any]:
    """Return the comparison that a child handed over; raise RunFailed with its reason, or because it is not of this
    job.
    """
    try:
        said = json.loads(bytes(heard.outcome))
        if "refusal" in said:
            code = str(said["refusal"]["code"])
            raise RunFailed(
                printable(str(said["refusal"]["reason"]), most=LONGEST_REASON),
                code=code if CODE.fullmatch(code) else RunFailed.default_code,
            )
        result: dict[str, Any] = said["result"]
        canonical_bytes(result)
        manifest = result["manifest"]
        is_ours = (
            result["schema"] == SCHEMA
            and result["verdict"]["status"] in VERDICTS
            and sealed(manifest)["digest"] == manifest["digest"]
            and canonical_json(manifest["settings"]) == canonical_json(settings)
            and manifest["models"] == {name: {"digest": digest_of_file(path)} for name, path in models.items()}
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, Invalid) as error:
        raise forged("it has not the form of a comparison") from error
    if not is_ours:
        raise forged("it is not of the models and settings that were asked for")
    return result
