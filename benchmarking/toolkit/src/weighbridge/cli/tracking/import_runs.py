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
    uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow tracking server.")] = "",
    experiment: Annotated[str, typer.Option(help="MLflow experiment.")] = "weighbridge",
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Metric to import, METRIC=KEY:UNIT, where KEY is the name in MLflow; repeatable."),
    ] = None,
    baseline: Annotated[str, typer.Option(help="The baseline run; default: the newest.")] = "",
    limit: Annotated[int, typer.Option(help="Maximum number of runs to read, newest first.")] = 100,
) -> None:
    """Import runs from MLflow as candidates for pareto and recommend."""
    from datetime import UTC, datetime

    from weighbridge.trackers.imported import candidates_of, wanted_of
    from weighbridge.trackers.mlflow import MlflowTracker

    if not uri:
        stop("Give the MLflow tracking server with --uri or MLFLOW_TRACKING_URI.")
    at = datetime.fromtimestamp(time.time(), UTC).isoformat()
    try:
        wanted = [wanted_of(text) for text in metric or ()]
        runs = MlflowTracker(uri, experiment).documents(limit)
        candidates = candidates_of(runs, wanted=wanted, baseline=baseline or None, at=at)
        write_json(json_file, candidates.as_document())
    except Refused as refused:
        stop(refused.reason)
    typer.echo(f"{json_file}: {len(candidates.candidates)} candidates, baseline {candidates.baseline}")
    raise typer.Exit(DONE)
