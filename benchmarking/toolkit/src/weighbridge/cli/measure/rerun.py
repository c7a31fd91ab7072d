"""`weighbridge rerun`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.api.documents import read_json, write_json
from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, stop
from weighbridge.core.errors import Refused


def rerun(
    result: Annotated[Path, typer.Argument(help="A result that `weighbridge profile --json` wrote.")],
    model: Annotated[Path, typer.Option(help="The model it is of.")],
    data: subject.DataOption = None,
    margin: Annotated[float, typer.Option(help="How far times may differ and pass as equivalent; 0.1 is 10 %.")] = 0.1,
    wall: subject.WallOption = 600.0,
    json_file: subject.JsonOption = None,
    quiet: subject.QuietOption = False,
) -> None:
    """Repeat a run from its manifest and say whether its times are equivalent: exit 0 yes, 1 no, 2 cannot tell."""
    from weighbridge.cli.tables.comparison_table import rerun_parts
    from weighbridge.cli.tables.terminal import show
    from weighbridge.measure.studies.rerun import rerun as repeat
    from weighbridge.measure.studies.rerun import settings_of
    from weighbridge.statistics.equivalence import tost
    from weighbridge.systems.sandbox.isolated import check_repeat
    from weighbridge.systems.sandbox.process import RunCanceled

    try:
        tost(0.0, 1.0, margin=margin)
        first = read_json(result)
        settings = settings_of(first, model=model, data=data)
        check_repeat(first)
        target = subject.target_from(model=model, data=data, wall_s=wall)
        with subject.runs_of(target, is_quiet=quiet) as (run, say):
            found = repeat(first, lambda: run(settings, say), margin=margin)
        if json_file is not None:
            write_json(json_file, found)
    except RunCanceled as canceled:
        stop(canceled.reason, code=INTERRUPTED)
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop("Interrupted; the run was stopped and left no result.", code=INTERRUPTED)
    if not quiet:
        show(rerun_parts(found), sys.stdout)
    raise typer.Exit({"equivalent": DONE, "different": NO}.get(found["answer"], UNCLEAR))
