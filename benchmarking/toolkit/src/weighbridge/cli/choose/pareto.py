"""`weighbridge pareto`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits, output


def pareto(
    candidates: Annotated[Path, typer.Argument(help="Candidates file written by `weighbridge optimize --json`.")],
    axis: Annotated[
        list[str] | None,
        typer.Option(help="Metric to compare, optionally with a direction: metric:min or metric:max; repeatable."),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Number of draws of each metric from its interval.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 20_260_101,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the standings to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the first two axes into this file, .svg or .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Find the Pareto frontier: classify candidates as frontier, dominated or ambiguous, given metric intervals."""
    from weighbridge.api.choosing import pareto as weighed

    with errors_as_exits():
        result = weighed(candidates, axis=axis or (), draws=draws, seed=seed, chart=chart)
        output(result, json_file, is_quiet=quiet)
