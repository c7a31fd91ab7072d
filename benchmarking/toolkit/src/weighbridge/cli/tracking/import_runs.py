"""`weighbridge import-runs`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.api.documents import write_json
from weighbridge.cli.exits import DONE, stop
from weighbridge.core.errors import Refused


def import_runs(
    json_file: Annotated[Path, typer.Option("--json", help="Write the candidates to this file.")],
    uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow's tracking server.")] = "",
    experiment: Annotated[str, typer.Option(help="MLflow's experiment.")] = "weighbridge",
    metric: Annotated[
        list[str] | None, typer.Option(help="A metric to take, METRIC=KEY:UNIT; more than one. KEY is MLflow's name.")
    ] = None,
    baseline: Annotated[str, typer.Option(help="The run that the others are weighed against; else the newest.")] = "",
    limit: Annotated[int, typer.Option(help="Read at most so many runs, the newest first.")] = 100,
) -> None:
    """Read runs back from MLflow as candidates, for pareto and recommend."""
    from datetime import UTC, datetime

    from weighbridge.trackers.imported import candidates_of, wanted_of
    from weighbridge.trackers.mlflow import MlflowTracker

    if not uri:
        stop("Name MLflow's tracking server: --uri, or MLFLOW_TRACKING_URI.")
    at = datetime.fromtimestamp(time.time(), UTC).isoformat()
    try:
        wanted = [wanted_of(text) for text in metric or ()]
        runs = MlflowTracker(uri, experiment).documents(limit)
        found = candidates_of(runs, wanted=wanted, baseline=baseline or None, at=at)
        write_json(json_file, found.as_document())
    except Refused as refused:
        stop(refused.reason)
    typer.echo(f"{json_file}: {len(found.candidates)} candidates, baseline {found.baseline}")
    raise typer.Exit(DONE)
