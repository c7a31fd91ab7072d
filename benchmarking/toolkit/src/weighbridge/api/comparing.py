"""`compare`: which of several models is faster, and which loses quality."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.data import Data, data_file
from weighbridge.api.documents import PathLike
from weighbridge.api.job_progress import NOBODY, Watcher, working_folder
from weighbridge.api.results import Result, Row
from weighbridge.cli.tables.comparison_table import comparison_parts
from weighbridge.core.errors import Invalid
from weighbridge.measure.blocks import BlockSettings
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.studies.comparison import ComparisonSettings
from weighbridge.quality.answers import AnswerSettings
from weighbridge.systems.registry import require_onnx
from weighbridge.systems.sandbox import isolated_comparison
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.target import NO_OPTIONS


def compare(  # noqa: PLR0913 -- the options of the command line
    models: Sequence[PathLike] | Mapping[str, PathLike],
    *,
    data: Data | None = None,
    margin: float = 0.01,
    rounds: int = 24,
    block_ms: float = 50.0,
    threads: int = 1,
    dims: Mapping[str, int] = NO_OPTIONS,
    inputs: Mapping[str, str] = NO_OPTIONS,
    state: Mapping[str, str] = NO_OPTIONS,
    output: str = "",
    scores: str = "auto",
    threshold: float = 0.5,
    wall: float = 600.0,
    watcher: Watcher = NOBODY,
) -> Result:
    """Compare two or more ONNX files with the first, the baseline, in one sandbox and on the same rows.

    Models are timed in `rounds`, each for `block_ms` milliseconds in a new random order, so that drift of the machine
    affects all of them; the baseline is timed twice, which gives the noise floor. Quality is compared row by row on
    `data` (`.npz`, `x` (rows, ...), `y` (rows,)): accuracy by Tango's score interval of paired shares (1998) and
    McNemar's exact test, other metrics by a paired bootstrap over rows.

    The result is a `weighbridge.comparison/1` document: the speed-up of each model (baseline's time / its time, with a
    95 % interval), whether it is faster, slower or tied, and whether its quality loss is shown to be at most `margin`
    (a share of accuracy, or the unit of y). `to_pandas()` has a row for each model.

    `dims`, `inputs`, `state`, `output`, `scores` and `threshold` are those of `profile`. A model that fails on a query,
    or whose answers cannot be scored, keeps what was measured of it, with the reason in `failures` or `not_scored`.

    Raises Invalid for models that do not match each other or the data, RunFailed and RunCanceled like `profile`.
    """
    named_models = models if isinstance(models, Mapping) else named([Path(model) for model in models])
    require_onnx([Path(model) for model in named_models.values()], "compare")
    settings = ComparisonSettings(
        margin=margin,
        threads=threads,
        blocks=BlockSettings(rounds=rounds, block_ms=block_ms),
        inputs=InputSettings(dims=dict(dims), values=dict(inputs), state=dict(state)),
        answers=AnswerSettings(output=output, scores=scores, threshold=threshold),
    )
    with working_folder() as folder:
        return comparison_result(
            isolated_comparison.compare_isolated(
                models={name: Path(model) for name, model in named_models.items()},
                data=data_file(data, model=next(iter(named_models.values()), None), folder=folder),
                settings=settings,
                limits=Limits(wall_s=wall),
                workdir=folder,
                follow=watcher.follow(),
            )
        )


def comparison_result(document: Mapping[str, Any]) -> Result:
    """Return a `weighbridge.comparison/1` document as a result."""
    return Result(document, tuple(map(_row, document["candidates"])), lambda: comparison_parts(document))


def _row(candidate: Mapping[str, Any]) -> Row:
    latency, speed_up = candidate["metrics"].get("latency_p50_ms") or {}, candidate["speed_up"] or {}
    return {
        "model": candidate["name"],
        "answer": candidate["answer"],
        "latency_p50_ms": latency.get("value"),
        **{
            f"speed_up{end}": speed_up.get(key)
            for end, key in (("", "value"), ("_lower", "lower"), ("_upper", "upper"))
        },
        "model_size_mb": candidate["metrics"]["model_size_mb"]["value"],
        **{f"{drop['metric']}_drop": drop["value"] for drop in candidate["quality_drops"]},
    }


def named(paths: Sequence[Path]) -> dict[str, Path]:
    """Name models by their files, without the suffix if the names stay unique; raise Invalid for duplicate files."""
    for name_of in (lambda path: path.stem, lambda path: path.name, str):
        names = {name_of(path): path for path in paths}
        if len(names) == len(paths):
            return names
    raise Invalid("A file is given twice. The noise of a model against itself is always measured.", field="models")
