"""`weighbridge track`, `weighbridge import-runs` and `weighbridge import`: trackers, and results of other tools."""

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.api.documents import read_json, write_json
from weighbridge.cli.exits import DONE, NO, errors_as_exits, output, stop, stream_beside
from weighbridge.cli.option_rules import Needs

if TYPE_CHECKING:
    from weighbridge.client.trackers.mlflow import MlflowTracker
    from weighbridge.client.trackers.records import Tracker

UriOption = Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow tracking server.")]


class TrackerKind(StrEnum):
    """The supported trackers."""

    MLFLOW = "mlflow"
    WANDB = "wandb"
    JSONL = "jsonl"


def track(
    files: Annotated[list[Path], typer.Argument(help="JSON results of weighbridge commands.")],
    to: Annotated[TrackerKind, typer.Option(help="The tracker to log to.")],
    uri: Annotated[UriOption, Needs("--to mlflow")] = "",
    experiment: Annotated[
        str, typer.Option(help="MLflow experiment or W&B project."), Needs("--to mlflow", "--to wandb")
    ] = "weighbridge",
    folder: Annotated[Path, typer.Option(help="W&B folder for runs."), Needs("--to wandb")] = Path("var/wandb"),
    offline: Annotated[
        bool,
        typer.Option("--offline", help="W&B: store runs locally; upload them with wandb sync."),
        Needs("--to wandb"),
    ] = False,
    out: Annotated[Path, typer.Option(help="The JSON-lines file to append to."), Needs("--to jsonl")] = Path(
        "weighbridge.jsonl"
    ),
) -> None:
    """Log results to MLflow, Weights & Biases or a file.

    Each benchmark is a run, and each variant a child run. The file has a line of JSON for each.
    """
    from weighbridge.client.trackers.records import record_of

    kept = (out,) if to is TrackerKind.JSONL else ()
    with errors_as_exits(writes=kept, keeps=kept):
        records = [record_of(read_json(file), name=file.stem) for file in files]
        tracker = _tracker(to, uri=uri, experiment=experiment, folder=folder, is_offline=offline, out=out)
        for file, record in zip(files, records, strict=True):
            typer.echo(f"{file}: {tracker.log(record)}")


def _tracker(kind: TrackerKind, *, uri: str, experiment: str, folder: Path, is_offline: bool, out: Path) -> "Tracker":
    from weighbridge.client.trackers.jsonl import JsonLines
    from weighbridge.client.trackers.wandb import WandbTracker

    if kind is TrackerKind.JSONL:
        return JsonLines(out)
    if kind is TrackerKind.WANDB:
        return WandbTracker(experiment, folder=folder, is_offline=is_offline)
    return _mlflow(uri, experiment)


def _mlflow(uri: str, experiment: str) -> "MlflowTracker":
    from weighbridge.client.trackers.mlflow import MlflowTracker

    if not uri:
        stop("Give the MLflow tracking server with --uri or MLFLOW_TRACKING_URI.")
    return MlflowTracker(uri, experiment)


def import_runs(
    json_file: Annotated[Path, typer.Option("--json", help="Write the candidates to this file.")],
    uri: UriOption = "",
    experiment: Annotated[str, typer.Option(help="MLflow experiment.")] = "weighbridge",
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Metric to import, METRIC=KEY:UNIT, where KEY is the name in MLflow; repeatable."),
    ] = None,
    baseline: Annotated[str, typer.Option(help="The baseline run; default: the newest.")] = "",
    limit: Annotated[int, typer.Option(help="Maximum number of runs to read, newest first.")] = 100,
) -> None:
    """Import runs of MLflow as candidates.

    `weighbridge pareto` and `weighbridge recommend` read them.
    """
    from datetime import UTC, datetime

    from weighbridge.client.trackers.imported import candidates_of, wanted_of

    at = datetime.fromtimestamp(time.time(), UTC).isoformat()
    with errors_as_exits(writes=(json_file,)):
        tracker = _mlflow(uri, experiment)
        wanted = [wanted_of(text) for text in metric or ()]
        candidates = candidates_of(tracker.documents(limit), wanted=wanted, baseline=baseline or None, at=at)
        write_json(json_file, candidates.as_document())
    text = f"{json_file}: {len(candidates.candidates)} candidates, baseline {candidates.baseline}"
    typer.echo(text, file=stream_beside(json_file))


def import_results(
    files: Annotated[list[Path], typer.Argument(help="Result files of other tools, or folders of runs.")],
    tool: Annotated[
        str,
        typer.Option(
            help="The tool that wrote them: weighbridge, loadgen, guidellm, aiperf, triton, lm_eval, inspect_ai, "
            "mlflow or wandb; default: found by the content.",
        ),
    ] = "",
    json_file: Annotated[Path | None, typer.Option("--json", "-o", help="Write the results to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Read results of other tools, with their doubts.

    Nothing is guessed: what a file does not state is absent, with the reason. Exit codes: 0 done, 1 a result is
    invalid, 2 a file cannot be read.
    """
    from weighbridge.api import documents

    with errors_as_exits(writes=(json_file,)):
        imported = documents.import_results(files, tool=tool or None)
        output(imported, json_file, is_quiet=quiet)
    is_invalid = any(result["verdict"]["status"] == "invalid" for result in imported["results"])
    raise typer.Exit(NO if is_invalid else DONE)
