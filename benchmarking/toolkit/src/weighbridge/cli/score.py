"""`weighbridge score`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits, output


def score(
    answers: Annotated[Path, typer.Argument(help="An .npz file with answers (rows, ...) and y (rows,).")],
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 20_260_101,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Score recorded answers: accuracy, F1, AUC or errors, each with its interval."""
    from weighbridge.api.scoring import score as scored

    with errors_as_exits(writes=(json_file,)):
        output(scored(answers, confidence=confidence, resamples=resamples, seed=seed), json_file, is_quiet=quiet)
