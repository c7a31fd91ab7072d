"""`weighbridge track`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.api.documents import read_json
from weighbridge.cli.exits import DONE, stop
from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from weighbridge.trackers.records import Tracker


class TrackerKind(StrEnum):
    """The supported trackers."""

    MLFLOW = "mlflow"
    WANDB = "wandb"
    JSONL = "jsonl"


def track(
    files: Annotated[list[Path], typer.Argument(help="JSON results of weighbridge commands.")],
    to: Annotated[TrackerKind, typer.Option(help="The tracker to log to.")],
    uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow tracking server.")] = "",
    experiment: Annotated[str, typer.Option(help="MLflow experiment or W&B project.")] = "weighbridge",
    folder: Annotated[Path, typer.Option(help="W&B folder for runs.")] = Path("var/wandb"),
    offline: Annotated[
        bool, typer.Option("--offline", help="W&B: store runs locally; upload them with wandb sync.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The JSON-lines file to append to.")] = Path("weighbridge.jsonl"),
) -> None:
    """Log results to MLflow, Weights & Biases or a JSON-lines file: a run per benchmark, a child run per variant."""
    from weighbridge.trackers.records import record_of

    try:
        records = [record_of(read_json(file), name=file.stem) for file in files]
        tracker = _tracker(to, uri=uri, experiment=experiment, folder=folder, is_offline=offline, out=out)
        for file, record in zip(files, records, strict=True):
            typer.echo(f"{file}: {tracker.log(record)}")
    except Refused as refused:
        stop(refused.reason)
    raise typer.Exit(DONE)


def _tracker(kind: TrackerKind, *, uri: str, experiment: str, folder: Path, is_offline: bool, out: Path) -> "Tracker":
    from weighbridge.trackers.jsonl import JsonLines
    from weighbridge.trackers.mlflow import MlflowTracker
    from weighbridge.trackers.wandb import WandbTracker

    if kind is TrackerKind.JSONL:
        return JsonLines(out)
    if kind is TrackerKind.WANDB:
        return WandbTracker(experiment, folder=folder, is_offline=is_offline)
    if not uri:
        stop("Give the MLflow tracking server with --uri or MLFLOW_TRACKING_URI.")
    return MlflowTracker(uri, experiment)
