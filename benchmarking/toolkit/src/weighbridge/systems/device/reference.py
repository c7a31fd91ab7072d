"""The answers of ONNX Runtime on this machine, in the sandbox, against which those of devices are compared."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from weighbridge.core.converter import from_document, to_document
from weighbridge.core.model_files.external_weights import weight_files
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.queries import prepare_queries
from weighbridge.measure.loops.latency import query_order
from weighbridge.measure.loops.state import StateRunner
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.measure.stopping import Progress
from weighbridge.systems.device.answers import MAX_ANSWER_BYTES, MAX_ANSWERS, Answer, answer_of
from weighbridge.systems.engine_errors import failing
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.systems.sandbox.bubblewrap import Layers
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.outcome import read_answer, rejected_unless
from weighbridge.systems.sandbox.process import CallbackTuple, run_child


@dataclasses.dataclass(frozen=True)
class Reference:
    """The answers to the first queries, by output, and the number of values that were kept of each."""

    values_max: int
    answers: tuple[dict[str, Answer], ...]


def reference_answers(
    model: Path,
    data: Path | None,
    settings: ProfileSettings,
    *,
    layers: Layers,
    limits: Limits,
    workdir: Path,
    follow: CallbackTuple,
) -> Reference:
    """Run the first queries inside `layers`; raise RunFailed and RunCanceled."""
    model, data = model.resolve(), data.resolve() if data is not None else None
    job = {
        "task": "weighbridge.systems.device.reference:answer_queries",
        "where": "while its answers were computed",
        "model": str(model),
        "data": str(data) if data is not None else None,
        "settings": to_document(settings),
    }
    reads = [model, *weight_files(model), *([data] if data is not None else [])]
    output = run_child(job=job, reads=reads, layers=layers, limits=limits, threads=1, workdir=workdir, follow=follow)
    answer = read_answer(output, limits=limits)
    with rejected_unless("answers"):
        reference = from_document(Reference, answer, name="answers")
        for named in reference.answers:
            for each in named.values():
                each.values(reference.values_max)
        return reference


def answer_queries(job: Mapping[str, Any], _report: Progress, _: object) -> dict[str, Any]:
    """Return the answers to the first queries of the job, in the order of a run; the task of a child process."""
    settings = from_document(ProfileSettings, job["settings"], name="settings")
    scenario = settings.scenario
    runner = OnnxRuntimeRunner(Path(job["model"]), threads=1, settings=settings.engine)
    data = read_data_set(Path(job["data"])) if job["data"] else None
    queries = prepare_queries(runner.inputs, data, seed=scenario.seed, rows=1, settings=settings.inputs)
    order = query_order(len(queries.feeds), seed=scenario.seed)
    states = queries.bound.states(1)
    stateful = StateRunner(runner, settings.inputs.state, states)
    outputs: list[Sequence[Any]] = []
    size = 0
    with failing("on its first queries"):
        for row in order[:MAX_ANSWERS]:
            answered = stateful.infer(queries.feeds[int(row)])
            more = sum(_bytes_of(array) for array in answered)
            if outputs and size + more > MAX_ANSWER_BYTES:
                break
            outputs.append(answered)
            size += more
    # 8 bytes is the widest type.
    most = MAX_ANSWER_BYTES if size <= MAX_ANSWER_BYTES else MAX_ANSWER_BYTES // (8 * len(runner.outputs))
    answers = [
        {name: answer_of(array, most) for name, array in zip(runner.outputs, each, strict=True)} for each in outputs
    ]
    return {"values_max": most, "answers": to_document(answers)}


def _bytes_of(output: object) -> int:
    return output.nbytes if isinstance(output, np.ndarray) else 0
