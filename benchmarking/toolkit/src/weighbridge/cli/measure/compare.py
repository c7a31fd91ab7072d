"""`weighbridge compare`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, stop, write_json
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from weighbridge.measure.studies.comparison import ComparisonSettings


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
    from weighbridge.measure.blocks import BlockSettings
    from weighbridge.measure.studies.comparison import ComparisonSettings
    from weighbridge.systems.fence import RunCancelled, RunEnded

    try:
        blocks = BlockSettings(rounds=rounds, block_ms=block_ms)
        settings = ComparisonSettings(margin=margin, threads=threads, blocks=blocks)
        found = _compared(named(models), data, settings, wall_s=wall, is_quiet=quiet)
        _keep(found, json_file, is_quiet=quiet)
    except RunEnded as ended:
        if ended.partial is not None:
            _keep(ended.partial, json_file, is_quiet=quiet)
        kept = " What was compared until then is kept, marked as partial." if ended.partial else ""
        stop(ended.reason + kept, code=INTERRUPTED if isinstance(ended, RunCancelled) else UNCLEAR)
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop("Interrupted; the comparison was stopped and left no result.", code=INTERRUPTED)
    raise typer.Exit(NO if found["verdict"]["status"] == "invalid" else DONE)


def _compared(
    models: dict[str, Path], data: Path | None, settings: "ComparisonSettings", *, wall_s: float, is_quiet: bool
) -> dict[str, Any]:
    import tempfile

    from weighbridge.cli.interrupts import interrupts_noted
    from weighbridge.cli.tables.terminal import progress
    from weighbridge.systems.compared import compare_isolated
    from weighbridge.systems.fence import Follow
    from weighbridge.systems.limits import Limits

    with (
        tempfile.TemporaryDirectory(prefix="weighbridge-") as folder,
        interrupts_noted() as is_interrupted,
        progress(sys.stderr, is_quiet=is_quiet) as say,
    ):
        return compare_isolated(
            models=models,
            data=data,
            settings=settings,
            limits=Limits(wall_s=wall_s),
            workdir=Path(folder),
            follow=Follow(say, is_interrupted, subject.WRAP_UP_S),
        )


def _keep(found: dict[str, Any], json_file: Path | None, *, is_quiet: bool) -> None:
    from weighbridge.cli.tables.comparison_table import show_comparison

    try:
        if json_file is not None:
            write_json(json_file, found)
    except Refused as refused:
        stop(refused.reason)
    if not is_quiet:
        show_comparison(found, sys.stdout)


def named(paths: list[Path]) -> dict[str, Path]:
    """Name models by their files, without the ending where that leaves names apart; raise Invalid for one
    file twice.
    """
    for name_of in (lambda path: path.stem, lambda path: path.name, str):
        names = {name_of(path): path for path in paths}
        if len(names) == len(paths):
            return names
    raise Invalid("A file is named twice; the noise of a model against itself is measured anyway.", field="models")
