"""`weighbridge decide`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, stop, write_json
from weighbridge.core.errors import Refused


def decide(
    matrix: Annotated[Path, typer.Argument(help="The matrix as YAML, `kind: DecisionMatrix`.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the decision to this file.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the justification (HTML, Markdown, PDF) and its heat map.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Draws of figures and of weights.", min=100, max=1_000_000)] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.", min=0)] = 20_260_101,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Weigh options by criteria: hard gates, weighted sum, TOPSIS, and how little would change the choice."""
    from weighbridge.cli.tables.matrix_table import show_decision
    from weighbridge.tradeoff.matrix.decided import decide as weigh
    from weighbridge.tradeoff.matrix.file import read_matrix
    from weighbridge.tradeoff.matrix.page import matrix_sheet
    from weighbridge.tradeoff.sheets.publishing import publish

    try:
        found = weigh(read_matrix(matrix), draws=draws, seed=seed)
        if json_file is not None:
            write_json(json_file, found.as_document())
        missing = publish(matrix_sheet(found), out, name="decision") if out is not None else None
    except Refused as refused:
        stop(refused.reason)
    if missing is not None:
        typer.echo(f"weighbridge: {missing}", err=True)
    if not quiet:
        show_decision(found, sys.stdout)
    raise typer.Exit(DONE if found.winner else NO)
