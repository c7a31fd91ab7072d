"""`weighbridge compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, give, refusals_told, stop
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.systems.sandbox.process import RunEnded


def compare(  # noqa: PLR0913 -- every option of the command line
    models: Annotated[list[Path], typer.Argument(help="Two ONNX files or more, the baseline first.")],
    data: subject.DataOption = None,
    margin: Annotated[float, typer.Option(help="How much accuracy (or error, in the unit of y) may be lost.")] = 0.01,
    rounds: Annotated[int, typer.Option(help="Rounds; each times every model on the same rows.")] = 24,
    block_ms: Annotated[float, typer.Option(help="Milliseconds that the slowest model is timed in a round.")] = 50.0,
    threads: subject.ThreadsOption = 1,
    wall: subject.WallOption = 600.0,
    json_file: subject.JsonOption = None,
    quiet: subject.QuietOption = False,
) -> None:
    """Say which model is quicker and which loses quality, with intervals, on this machine's own noise."""
    from weighbridge.api.comparing import compare as compared
    from weighbridge.systems.sandbox.process import RunEnded

    with refusals_told(interrupted="Interrupted; the comparison was stopped and left no result."):
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
        except RunEnded as ended:
            _stop_early(ended, json_file, is_quiet=quiet)
        give(result, json_file, is_quiet=quiet)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


def _stop_early(ended: "RunEnded", json_file: Path | None, *, is_quiet: bool) -> NoReturn:
    """Keep what was compared until then, and end."""
    from weighbridge.api.comparing import comparison_result
    from weighbridge.systems.sandbox.process import RunCanceled

    if ended.partial is not None:
        give(comparison_result(ended.partial), json_file, is_quiet=is_quiet)
    kept = " What was compared until then is kept, marked as partial." if ended.partial else ""
    stop(ended.reason + kept, code=INTERRUPTED if isinstance(ended, RunCanceled) else UNCLEAR)
