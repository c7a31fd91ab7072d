"""Comparison of models in a sandboxed child process, and validation of its result."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.core.canonical import canonical_bytes, canonical_json
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.systems.sandbox.bubblewrap import layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import CODE, MAX_REASON_CHARS, VERDICTS, exit_failure, forged_result
from weighbridge.systems.sandbox.process import (
    CallbackTuple,
    ChildOutput,
    RunFailed,
    RunIncomplete,
    run_child,
    sanitize_text,
)

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
    follow: CallbackTuple,
) -> dict[str, Any]:
    """Compare ONNX files in a child process and return its `weighbridge.comparison/1` mapping.

    Raises RunFailed and RunCanceled, with the partial result in `partial` if `follow` allows time to wrap up. The child
    and all its descendants are terminated in every case.
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
        output = run_child(
            program=CHILD,
            job=job,
            reads=[*models.values(), *([data] if data is not None else [])],
            layers=layers_here(),
            limits=limits,
            threads=settings.threads,
            workdir=workdir.resolve(),
            follow=follow,
        )
    except RunIncomplete as ended:
        # A child stopped before anything was timed may return a refusal, or nothing.
        with contextlib.suppress(RunFailed):
            ended.partial = read_comparison(ended.output or ChildOutput(), models=models, settings=job["settings"])
        raise
    if output.seals is None or output.status != 0 or not output.outcome:
        raise exit_failure(output, limits=limits)
    return read_comparison(output, models=models, settings=job["settings"])


def read_comparison(output: ChildOutput, *, models: Mapping[str, Path], settings: object) -> dict[str, Any]:
    """Return the comparison of a child; raise RunFailed with its reason, or if the result is not of this job."""
    try:
        document = json.loads(bytes(output.outcome))
        if "refusal" in document:
            code = str(document["refusal"]["code"])
            raise RunFailed(
                sanitize_text(str(document["refusal"]["reason"]), most=MAX_REASON_CHARS),
                code=code if CODE.fullmatch(code) else RunFailed.default_code,
            )
        result: dict[str, Any] = document["result"]
        canonical_bytes(result)
        manifest = result["manifest"]
        is_ours = (
            result["schema"] == SCHEMA
            and result["verdict"]["status"] in VERDICTS
            and seal_manifest(manifest)["digest"] == manifest["digest"]
            and canonical_json(manifest["settings"]) == canonical_json(settings)
            and manifest["models"] == {name: {"digest": digest_of_file(path)} for name, path in models.items()}
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, Invalid) as error:
        raise forged_result("it does not have the format of a comparison") from error
    if not is_ours:
        raise forged_result("it is not for the requested models and settings")
    return result
