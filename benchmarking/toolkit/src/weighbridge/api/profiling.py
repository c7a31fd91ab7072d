"""`profile`: the latency, memory and quality of a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.data import Data, data_file
from weighbridge.api.documents import PathLike
from weighbridge.api.job_progress import NOBODY, Watcher, working_folder
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.terminal import result_parts
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.scenarios import (
    MultiStream,
    Offline,
    ProfileSettings,
    RuntimeSettings,
    Scenario,
    Server,
    SingleStream,
)
from weighbridge.quality.answers import AnswerSettings
from weighbridge.quality.metrics.registry import registered
from weighbridge.systems.registry import system_for
from weighbridge.systems.remote.profile import profile_on
from weighbridge.systems.remote.ssh import read_host
from weighbridge.systems.sandbox.process import RunCanceled
from weighbridge.systems.target import NO_OPTIONS, Target


def profile(  # noqa: PLR0913 -- the options of the command line
    model: PathLike | None = None,
    *,
    system: str = "",
    options: Mapping[str, Any] = NO_OPTIONS,
    data: Data | None = None,
    scenario: str = "single-stream",
    samples: int | None = None,
    batch: int = 1,
    concurrency: int = 1,
    rate: float = 10.0,
    limit_ms: float | None = None,
    threads: int = 1,
    wall: float = 600.0,
    provider: str = "cpu",
    provider_options: Mapping[str, str] = NO_OPTIONS,
    optimization: str = "all",
    inter_op_threads: int = 1,
    affinity: Sequence[int] = (),
    dims: Mapping[str, int] = NO_OPTIONS,
    inputs: Mapping[str, str] = NO_OPTIONS,
    state: Mapping[str, str] = NO_OPTIONS,
    output: str = "",
    scores: str = "auto",
    threshold: float = 0.5,
    metrics: Sequence[str] = (),
    trust: bool = False,
    operators: bool = True,
    tdp_w: float | None = None,
    on: str = "",
    remote_command: str = "weighbridge",
    watcher: Watcher = NOBODY,
) -> Result:
    """Measure one system under test and return its latency, throughput, memory, size and quality.

    `model` is a file of ONNX, scikit-learn (.skops), XGBoost (.ubj, .json) or LightGBM (.txt); it is measured in a
    sandbox unless you `trust` it. Other systems are selected by `system`
    and its `options`, and run without a sandbox: `"torch"` with `factory` ("package.module:factory") and `inputs`
    (each with `name`, `dtype` and `shape`), `"http"` with `url`, or your own (see `weighbridge.systems.registry`).
    `data` has an array for each input (`x` for a single one) and the truth `y` (rows,), as a mapping or an `.npz` file;
    a table or a folder is read as `prepare_data` reads it. Without it, inputs are random and quality is not measured.

    `dims` are sizes of free dimensions by name or `"input[axis]"` (0: the number of rows), `inputs` values of inputs
    for all queries, `state` the outputs that are inputs of the next call, by input. A free dimension that nobody stated
    has no size, so the result is invalid and has no latency. `output` names the output to score; `scores` and
    `threshold` are those of `quality.answers.AnswerSettings`. `metrics` are measured besides those of every model, like
    "log_loss" or "ece@10"; for your own functions, use `score`.

    Scenarios are MLPerf's: "single-stream", "multi-stream" and "offline" (`batch` rows per query, `concurrency` queries
    at a time), "server" (`rate` queries per second; `limit_ms` is the limit of p99). `wall` and `tdp_w` are seconds and
    watts. On a graphics card (`provider` "cuda" or "tensorrt"), the manifest has its conditions in `gpu`.

    `on` is another machine, "ssh://user@host", that has the same version of the toolkit: the model file and the data
    are copied there by ssh and measured by its `remote_command`, and the checked result has its address as
    `measured_on`.

    The result is a `weighbridge.result/1` document. Latencies are in ms; their 99 % intervals allow for serial
    dependence (circular block bootstrap, blocks by Politis & White 2004); throughput in 1/s; sizes in MB (1,000,000
    bytes); shares are ratios with Wilson's interval at 95 %. `to_pandas()` has a row for each metric.

    Raises Invalid for input that cannot be measured, RunFailed if the run dies or takes too long, and RunCanceled if
    `watcher` stops it; the `partial` of the last two is the document of the metrics measured so far.
    """
    engine = RuntimeSettings(
        provider=provider,
        options={name: str(value) for name, value in provider_options.items()},
        optimization=optimization,
        inter_op_threads=inter_op_threads,
        affinity=tuple(affinity),
    )
    wanted = scenario_from(scenario, samples, threads, batch, concurrency, rate, limit_ms)
    settings = ProfileSettings(
        scenario=wanted,
        engine=engine,
        inputs=InputSettings(dims=dict(dims), values=dict(inputs), state=dict(state)),
        answers=AnswerSettings(output=output, scores=scores, threshold=threshold),
        metrics=registered(metrics),
        tdp_w=tdp_w,
    )
    with working_folder() as folder:
        target = Target(
            system=system or (system_for(Path(model)) if model is not None else "onnx"),
            model=Path(model) if model is not None else None,
            options=options,
            data=data_file(data, model=model, folder=folder),
            wall_s=wall,
            is_trusted=trust,
        )
        if on:
            host, stop = read_host(on), watcher.should_stop
            found = profile_on(host, target, settings, program=remote_command, operators=operators, should_stop=stop)
            return profile_result(found)
        found = target.measure(settings, follow=watcher.follow(), workdir=folder)
        return profile_result(_with_operators(found, target, settings, folder, watcher) if operators else found)


def profile_result(document: Mapping[str, Any]) -> Result:
    """Return a `weighbridge.result/1` document as a result."""
    return Result(document, tuple(metric_rows(document.get("metrics", {}))), lambda: result_parts(document))


def _with_operators(
    found: dict[str, Any], target: Target, settings: ProfileSettings, folder: Path, watcher: Watcher
) -> dict[str, Any]:
    """Add where the time goes; who interrupts that keeps the result without it."""
    follow = watcher.follow(lambda _share, _doing: watcher.on_progress(1.0, "timing its operators"))
    try:
        timed = target.operators(settings, follow=follow, workdir=folder)
    except RunCanceled as canceled:
        canceled.partial = found | {"is_partial": True, "operators": None}
        raise
    return found | {"operators": timed["operators"], "missing": [*found["missing"], *timed["missing"]]}


def scenario_from(
    name: str, samples: int | None, threads: int, batch: int, concurrency: int, rate: float, limit_ms: float | None
) -> Scenario:
    """Return the scenario of a name, MLPerf's spelling or ours for the command line; raise Invalid."""
    common: dict[str, Any] = {"threads": threads, **({"min_samples": samples} if samples is not None else {})}
    match name.lower().replace("-", ""):
        case "singlestream":
            return SingleStream(**common)
        case "multistream":
            return MultiStream(**common, samples_per_query=batch)
        case "offline":
            return Offline(**common, batch=batch, concurrency=concurrency)
        case "server":
            return Server(**common, rate_per_s=rate, limit_ms=limit_ms)
    text = f"There is no scenario {name!r}; only single-stream, multi-stream, offline and server."
    raise Invalid(text, field="scenario")
