"""`weighbridge learning-curve`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import give, refusals_told


def learning_curve(
    points: Annotated[Path, typer.Argument(help="CSV with the heading rows,accuracy (or rows,error), or JSON.")],
    confidence: Annotated[float, typer.Option(help="Level of the intervals, 0 to 1.")] = 0.95,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the forecast to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the curve into this file, .svg or .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Say what more training data may bring: the metric to expect at N, 2N and 4N rows, and whether a
    ceiling is known.
    """
    from weighbridge.api.choosing import learning_curve as forecast

    with refusals_told():
        give(forecast(points, confidence=confidence, chart=chart), json_file, is_quiet=quiet)
