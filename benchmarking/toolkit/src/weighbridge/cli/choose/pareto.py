"""`weighbridge pareto`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import give, refusals_told


def pareto(
    candidates: Annotated[Path, typer.Argument(help="Candidates file, as `weighbridge optimize --json` writes it.")],
    axis: Annotated[
        list[str] | None, typer.Option(help="A metric to weigh by; more than one. metric:min or metric:max.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="How often every metric is drawn from its interval.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 20_260_101,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the standings to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the first two axes into this file, .svg or .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Say which candidates nobody beats: frontier, dominated or ambiguous, given the interval of every metric."""
    from weighbridge.api.choosing import pareto as weighed

    with refusals_told():
        result = weighed(candidates, axis=axis or (), draws=draws, seed=seed, chart=chart)
        give(result, json_file, is_quiet=quiet)
