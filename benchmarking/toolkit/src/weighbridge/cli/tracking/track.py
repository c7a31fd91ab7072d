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


class TrackerPlace(StrEnum):
    """Where records can be kept."""

    MLFLOW = "mlflow"
    WANDB = "wandb"
    JSONL = "jsonl"


def track(
    files: Annotated[list[Path], typer.Argument(help="Results of weighbridge, JSON files.")],
    to: Annotated[TrackerPlace, typer.Option(help="Where they are logged.")],
    uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow's tracking server.")] = "",
    experiment: Annotated[str, typer.Option(help="MLflow's experiment, or W&B's project.")] = "weighbridge",
    folder: Annotated[Path, typer.Option(help="W&B's folder for runs.")] = Path("var/wandb"),
    offline: Annotated[
        bool, typer.Option("--offline", help="W&B: keep the runs here; send them with wandb sync.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The JSON-lines file to append to.")] = Path("weighbridge.jsonl"),
) -> None:
    """Log results to MLflow, Weights & Biases or a file of JSON lines: a run per benchmark, a child per variant."""
    from weighbridge.trackers.records import record_of

    try:
        records = [record_of(read_json(file), name=file.stem) for file in files]
        tracker = _tracker(to, uri=uri, experiment=experiment, folder=folder, is_offline=offline, out=out)
        for file, record in zip(files, records, strict=True):
            typer.echo(f"{file}: {tracker.log(record)}")
    except Refused as refused:
        stop(refused.reason)
    raise typer.Exit(DONE)


def _tracker(place: TrackerPlace, *, uri: str, experiment: str, folder: Path, is_offline: bool, out: Path) -> "Tracker":
    from weighbridge.trackers.jsonl import JsonLines
    from weighbridge.trackers.mlflow import MlflowTracker
    from weighbridge.trackers.wandb import WandbTracker

    if place is TrackerPlace.JSONL:
        return JsonLines(out)
    if place is TrackerPlace.WANDB:
        return WandbTracker(experiment, folder=folder, is_offline=is_offline)
    if not uri:
        stop("Name MLflow's tracking server: --uri, or MLFLOW_TRACKING_URI.")
    return MlflowTracker(uri, experiment)
