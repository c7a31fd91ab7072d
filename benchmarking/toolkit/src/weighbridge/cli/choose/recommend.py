"""`weighbridge recommend`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, give, refusals_told

MaxP95 = Annotated[float | None, typer.Option("--max-p95-ms", help="Largest p95 latency in milliseconds.")]
MaxSize = Annotated[float | None, typer.Option("--max-size-mb", help="Largest file in megabytes (1,000,000 bytes).")]
MinAccuracy = Annotated[float | None, typer.Option("--min-accuracy", help="Least accuracy, 0 to 1.")]


def recommend(  # noqa: PLR0913 -- each is an option of the command line
    candidates: Annotated[Path, typer.Argument(help="Candidates file, as `weighbridge optimize --json` writes it.")],
    max_p95_ms: MaxP95 = None,
    max_size_mb: MaxSize = None,
    min_accuracy: MinAccuracy = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Another limit, as peak_memory_mb<=200; more than one.")
    ] = None,
    quality: Annotated[str, typer.Option(help="The metric that says how good a model is.")] = "accuracy",
    margin: Annotated[
        float, typer.Option(help="Quality worth giving up for a cheaper model: 0.01 is one point.")
    ] = 0.01,
    load: Annotated[
        list[Path] | None, typer.Option(help="Result of a load test, for the load curve; two or more.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page (HTML, Markdown, PDF) and its charts.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the recommendation to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Name the candidate to take under limits, why, what it costs, what would change the choice, and what
    is not known.
    """
    from weighbridge.api.choosing import recommend as recommended

    with refusals_told():
        result = recommended(
            candidates,
            max_p95_ms=max_p95_ms,
            max_size_mb=max_size_mb,
            min_accuracy=min_accuracy,
            limit=limit or (),
            quality=quality,
            margin=margin,
            load=load or (),
            out=out,
        )
        give(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["winner"] else NO)
