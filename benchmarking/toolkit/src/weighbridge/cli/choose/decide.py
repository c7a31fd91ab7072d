"""`weighbridge decide`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, give, refusals_told


def decide(
    matrix: Annotated[Path, typer.Argument(help="The matrix as YAML, `kind: DecisionMatrix`.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the decision to this file.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the justification (HTML, Markdown, PDF) and its heat map.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Draws of metrics and of weights.", min=100, max=1_000_000)] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.", min=0)] = 20_260_101,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Weigh options by criteria: hard gates, weighted sum, TOPSIS, and how little would change the choice."""
    from weighbridge.api.choosing import decide as decided

    with refusals_told():
        result = decided(matrix, draws=draws, seed=seed, out=out)
        give(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["winner"] else NO)
