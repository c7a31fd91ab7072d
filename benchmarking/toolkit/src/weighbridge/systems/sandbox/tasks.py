"""The tasks of the child processes: each gets a job, reports progress, and returns a result.

`child` imports this module after the seals are applied, because heavy libraries start threads.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from weighbridge.core.converter import from_document
from weighbridge.measure.conditions.model_file import read_model
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.queries import prepare_queries
from weighbridge.measure.measurement import measure
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.measure.stopping import Progress
from weighbridge.measure.studies import comparison
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.systems.registry import system_of
from weighbridge.systems.trace import operators_of, trace

Checkpoint = Callable[[dict[str, Any]], None]


def profile(job: Mapping[str, Any], report: Progress, on_checkpoint: Checkpoint) -> dict[str, Any]:
    """Measure the system of the job; `on_checkpoint` gets the result before a phase that may not end."""
    settings = from_document(ProfileSettings, job["settings"], name="settings")
    report(0.0, "reading the model")
    return measure(
        system_of(job, settings),
        settings=settings,
        data=_data_of(job),
        on_progress=report,
        now=datetime.fromtimestamp(time.time(), UTC),
        isolation=job["isolation"],
        on_checkpoint=on_checkpoint,
    )


def compare(job: Mapping[str, Any], report: Progress, _: Checkpoint) -> dict[str, Any]:
    """Compare the models of the job."""
    return comparison.compare(
        models={name: Path(path) for name, path in job["models"].items()},
        data=_data_of(job),
        settings=from_document(comparison.ComparisonSettings, job["settings"], name="settings"),
        on_progress=report,
        now=datetime.fromtimestamp(time.time(), UTC),
        isolation=job["isolation"],
    )


def operators(job: Mapping[str, Any], _report: Progress, _: Checkpoint) -> dict[str, Any]:
    """Time each operator of the model of the job, on rows of its data or drawn inputs."""
    model, settings = Path(job["model"]), from_document(ProfileSettings, job["settings"], name="settings")
    scenario, data = settings.scenario, _data_of(job)
    nodes = sum(read_model(model).operators.values())
    specs = OnnxRuntimeRunner(model, threads=scenario.threads, settings=settings.engine).inputs
    data_set = read_data_set(data) if data is not None else None
    queries = prepare_queries(specs, data_set, seed=scenario.seed, rows=scenario.rows, settings=settings.inputs)
    if queries.unstated:
        return {"operators": None}
    states = queries.bound.states(scenario.rows)
    feeds = [{**feed, **states} for feed in queries.feeds]
    events = trace(model, feeds, threads=scenario.threads, settings=settings.engine, nodes=nodes)
    return {"operators": operators_of(events)}


def _data_of(job: Mapping[str, Any]) -> Path | None:
    return Path(job["data"]) if job["data"] else None
