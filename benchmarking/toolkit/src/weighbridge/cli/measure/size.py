"""`weighbridge size`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, errors_as_exits, output


def size_replicas(  # noqa: PLR0913 -- every option of the command line
    runs: Annotated[
        list[Path],
        typer.Option(
            help="Result of a streaming load test, or a CSV file with the header rate,good,n,seed; repeatable."
        ),
    ],
    peak_rate: Annotated[float, typer.Option(help="Requests per second to serve at the peak.")],
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[RESULT]...", help="More results, as after --runs results/*.json.")
    ] = None,
    good: Annotated[float, typer.Option(help="Share of requests to be answered within the limits, 0 to 1.")] = 0.95,
    balance: Annotated[
        float, typer.Option(help="Part of a replica's highest rate that counts, for uneven balancing, 0 to 1.")
    ] = 0.9,
    spare: Annotated[int, typer.Option(help="Replicas to add for failures.", min=0)] = 1,
    input_tokens: Annotated[
        float | None, typer.Option(help="Planned mean input tokens per request, compared with the runs.")
    ] = None,
    output_tokens: Annotated[
        float | None, typer.Option(help="Planned mean output tokens per request, compared with the runs.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the sizing to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Size replicas of a language model server.

    The number follows from the share of good requests that one replica had at several measured rates. Exit codes: 0
    sized, 1 no number of replicas is shown to be enough.
    """
    from weighbridge.api.load.sizing import size_replicas as sized

    with errors_as_exits(writes=(json_file,)):
        result = sized(
            [*runs, *(more or ())],
            peak_rate=peak_rate,
            good=good,
            balance=balance,
            spare=spare,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(NO if result["replicas"]["value"] is None else DONE)
