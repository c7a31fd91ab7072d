"""Comparison of models in a sandboxed child process, and validation of its result."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import canonical_bytes, canonical_json
from weighbridge.core.converter import to_document
from weighbridge.core.model_files.external_weights import weight_files
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import model_entry
from weighbridge.measure.studies.comparison import SCHEMA, ComparisonSettings
from weighbridge.systems.sandbox.bubblewrap import layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import VERDICTS, exit_failure, forged_result, rejected_unless, result_in
from weighbridge.systems.sandbox.process import CallbackTuple, ChildOutput, RunFailed, RunIncomplete, run_child


def compare_isolated(
    *,
    models: Mapping[str, Path],
    data: Path | None,
    settings: ComparisonSettings,
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
    beside = [file for model in models.values() for file in weight_files(model)]
    reads, layers, threads = [*models.values(), *beside, *([data] if data else [])], layers_here(), settings.threads
    job = {
        "task": "weighbridge.systems.sandbox.tasks:compare",
        "where": "while it was compared",
        "models": {name: str(path) for name, path in models.items()},
        "data": str(data) if data is not None else None,
        "settings": to_document(settings),
    }
    try:
        output = run_child(
            job=job, reads=reads, layers=layers, limits=limits, threads=threads, workdir=workdir, follow=follow
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
    with rejected_unless("a comparison"):
        result = result_in(bytes(output.outcome))
        canonical_bytes(result)
        manifest = result["manifest"]
        is_ours = (
            result["schema"] == SCHEMA
            and result["verdict"]["status"] in VERDICTS
            and seal_manifest(manifest)["digest"] == manifest["digest"]
            and canonical_json(manifest["settings"]) == canonical_json(settings)
            and manifest["models"] == {name: model_entry(path) for name, path in models.items()}
        )
    if not is_ours:
        raise forged_result("it is not for the requested models and settings")
    return result
