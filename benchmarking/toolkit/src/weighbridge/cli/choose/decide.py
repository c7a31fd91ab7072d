"""`weighbridge decide`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, errors_as_exits, output


def decide(
    matrix: Annotated[Path, typer.Argument(help="The matrix, a YAML file with `kind: DecisionMatrix`.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the decision to this file.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the justification (HTML, Markdown, PDF) and its heat map.")
    ] = None,
    draws: Annotated[
        int, typer.Option(help="Number of draws of metrics and weights.", min=100, max=1_000_000)
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 20_260_101,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Choose between options: hard gates, weighted sum, TOPSIS, and how stable the choice is."""
    from weighbridge.api.choosing import decide as decided

    with errors_as_exits():
        result = decided(matrix, draws=draws, seed=seed, out=out)
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["winner"] else NO)
