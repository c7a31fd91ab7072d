"""`weighbridge learning-curve`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits, output


def learning_curve(
    points: Annotated[Path, typer.Argument(help="CSV file with the header rows,accuracy or rows,error; or JSON.")],
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the forecast to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the curve into this file, .svg or .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Forecast the effect of more training data: the metric at N, 2N and 4N rows, and its ceiling if known."""
    from weighbridge.api.choosing import learning_curve as forecast

    with errors_as_exits():
        output(forecast(points, confidence=confidence, chart=chart), json_file, is_quiet=quiet)
