"""`weighbridge compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, errors_as_exits, output, stop
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.systems.sandbox.process import RunIncomplete


def compare(  # noqa: PLR0913 -- every option of the command line
    models: Annotated[list[Path], typer.Argument(help="Two or more ONNX files, the baseline first.")],
    data: target_options.DataOption = None,
    margin: Annotated[
        float, typer.Option(help="Acceptable loss of accuracy (or increase of error, in the unit of y).")
    ] = 0.01,
    rounds: Annotated[int, typer.Option(help="Number of rounds; each round times every model on the same rows.")] = 24,
    block_ms: Annotated[float, typer.Option(help="Milliseconds per round for the slowest model.")] = 50.0,
    threads: target_options.ThreadsOption = 1,
    wall: target_options.WallOption = 600.0,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Compare speed and quality of models, with intervals and the noise of this machine."""
    from weighbridge.api.comparing import compare as compared
    from weighbridge.systems.sandbox.process import RunIncomplete

    with errors_as_exits(interrupted="Interrupted; the comparison was stopped and has no result."):
        try:
            with watching(is_quiet=quiet) as watcher:
                result = compared(
                    models,
                    data=data,
                    margin=margin,
                    rounds=rounds,
                    block_ms=block_ms,
                    threads=threads,
                    wall=wall,
                    watcher=watcher,
                )
        except RunIncomplete as ended:
            _stop_early(ended, json_file, is_quiet=quiet)
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


def _stop_early(ended: "RunIncomplete", json_file: Path | None, *, is_quiet: bool) -> NoReturn:
    """Save the partial comparison and exit."""
    from weighbridge.api.comparing import comparison_result
    from weighbridge.systems.sandbox.process import RunCanceled

    if ended.partial is not None:
        output(comparison_result(ended.partial), json_file, is_quiet=is_quiet)
    note = " The result is partial." if ended.partial else ""
    stop(ended.reason + note, code=INTERRUPTED if isinstance(ended, RunCanceled) else UNCLEAR)
