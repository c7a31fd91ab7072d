"""`weighbridge learning-curve`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import stop, write_json
from weighbridge.core.errors import Refused


def learning_curve(
    points: Annotated[Path, typer.Argument(help="CSV with the heading rows,accuracy (or rows,error), or JSON.")],
    confidence: Annotated[float, typer.Option(help="Level of the intervals, 0 to 1.")] = 0.95,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the forecast to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the curve into this file, .svg or .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Say what more training data may bring: the figure to expect at N, 2N and 4N rows, and whether a
    ceiling is known.
    """
    from weighbridge.charts.drawing import save
    from weighbridge.tradeoff.charts.learning import learning_curve as draw
    from weighbridge.tradeoff.learning import learning_curve as curves
    from weighbridge.tradeoff.learning.points_file import read_points

    try:
        given = read_points(points)
        found = curves.forecast(given.rows, given.errors, confidence=confidence)
        document = curves.as_document(found, metric=given.metric)
        if json_file is not None:
            write_json(json_file, document)
        if chart is not None:
            save(draw(document), chart)
    except Refused as refused:
        stop(refused.reason)
    if not quiet:
        typer.echo("\n".join(curves.describe(document)))
