"""`weighbridge compare`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, NO, errors_as_exits, output, partial_results, stop
from weighbridge.cli.option_rules import Needs
from weighbridge.cli.watching import watching


def compare(  # noqa: PLR0913 -- every option of the command line
    models: Annotated[list[Path], typer.Argument(help="Two or more ONNX files, the baseline first.")],
    data: target_options.DataOption = None,
    margin: Annotated[
        float,
        typer.Option(help="Acceptable loss of accuracy (or increase of error, in the unit of y)."),
        Needs("--data"),
    ] = 0.01,
    rounds: Annotated[int, typer.Option(help="Number of rounds; each round times every model on the same rows.")] = 24,
    block_ms: Annotated[float, typer.Option(help="Milliseconds per round for the slowest model.")] = 50.0,
    threads: target_options.ThreadsOption = 1,
    wall: target_options.WallOption = 600.0,
    dim: target_options.DimOption = None,
    input_value: target_options.InputOption = None,
    state: target_options.StateOption = None,
    scored: target_options.OutputOption = "",
    scores: target_options.ScoresOption = "auto",
    threshold: target_options.ThresholdOption = 0.5,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Compare speed and quality of models, with intervals.

    The noise of this machine is measured too: models that differ by less are tied.
    """
    from weighbridge.api.comparing import compare as compared
    from weighbridge.api.comparing import comparison_result
    from weighbridge.measure.studies.comparison import has_failed

    with errors_as_exits(interrupted="Interrupted; the comparison was stopped and has no result.", writes=(json_file,)):
        with partial_results(comparison_result, json_file, is_quiet=quiet), watching(is_quiet=quiet) as watcher:
            result = compared(
                models,
                data=data,
                margin=margin,
                rounds=rounds,
                block_ms=block_ms,
                threads=threads,
                **target_options.inputs_from(dim, input_value, state),
                output=scored,
                scores=scores,
                threshold=threshold,
                wall=wall,
                watcher=watcher,
            )
        output(result, json_file, is_quiet=quiet)
    failed = [candidate["name"] for candidate in result["candidates"] if has_failed(candidate)]
    if failed:
        stop(f"{', '.join(failed)} failed, so the comparison is incomplete.", code=NO)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)
