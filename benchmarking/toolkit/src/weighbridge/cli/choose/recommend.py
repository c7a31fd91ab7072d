"""`weighbridge recommend`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, errors_as_exits, output

MaxP95 = Annotated[float | None, typer.Option("--max-p95-ms", help="Maximum p95 latency in milliseconds.")]
MaxSize = Annotated[
    float | None, typer.Option("--max-size-mb", help="Maximum file size in megabytes (1,000,000 bytes).")
]
MinAccuracy = Annotated[float | None, typer.Option("--min-accuracy", help="Minimum accuracy, 0 to 1.")]


def recommend(  # noqa: PLR0913 -- each is an option of the command line
    candidates: Annotated[Path, typer.Argument(help="Candidates file written by `weighbridge optimize --json`.")],
    max_p95_ms: MaxP95 = None,
    max_size_mb: MaxSize = None,
    min_accuracy: MinAccuracy = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Another limit, like peak_memory_mb<=200; repeatable.")
    ] = None,
    quality: Annotated[str, typer.Option(help="The metric of model quality.")] = "accuracy",
    margin: Annotated[
        float, typer.Option(help="Acceptable quality loss for a cheaper model: 0.01 is one point.")
    ] = 0.01,
    load: Annotated[
        list[Path] | None, typer.Option(help="Load test result for the load curve; give two or more.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page (HTML, Markdown, PDF) and its charts.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the recommendation to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Recommend a candidate under limits, with reasons, costs, what would change the choice, and what is unknown."""
    from weighbridge.api.choosing import recommend as recommended

    with errors_as_exits():
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
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["winner"] else NO)
