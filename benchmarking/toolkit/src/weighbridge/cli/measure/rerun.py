"""`weighbridge rerun`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.api.documents import read_json
from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, NO, UNCLEAR, errors_as_exits, output


def rerun(
    result: Annotated[Path, typer.Argument(help="A result written by `weighbridge profile --json`.")],
    model: Annotated[Path, typer.Option(help="The measured model.")],
    data: target_options.DataOption = None,
    margin: Annotated[float, typer.Option(help="Maximum difference of equivalent times; 0.1 is 10 %.")] = 0.1,
    wall: target_options.WallOption = 600.0,
    trust: target_options.TrustOption = False,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Repeat a run and test whether its times are equivalent.

    The run is repeated as its manifest says. Exit codes: 0 yes, 1 no, 2 cannot tell.
    """
    from weighbridge.api.data import data_file
    from weighbridge.api.job_progress import working_folder
    from weighbridge.api.results import Result
    from weighbridge.cli.tables.comparison_table import rerun_parts
    from weighbridge.measure.studies.rerun import rerun as repeat
    from weighbridge.measure.studies.rerun import settings_of
    from weighbridge.statistics.equivalence import tost
    from weighbridge.systems.sandbox.isolated import check_same_isolation

    with errors_as_exits(interrupted="Interrupted; the run was stopped and has no result.", writes=(json_file,)):
        tost(0.0, 1.0, margin=margin)
        first = read_json(result)
        with working_folder() as folder:
            file = data_file(data, model=model, folder=folder)
            settings = settings_of(first, model=model, data=file)
            check_same_isolation(first)
            target = target_options.target_from(model=model, data=file, wall_s=wall, is_trusted=trust)
            with target_options.runs_of(target, is_quiet=quiet) as (run, say):
                comparison = repeat(first, lambda: run(settings, say), margin=margin)
        output(Result(comparison, (), lambda: rerun_parts(comparison)), json_file, is_quiet=quiet)
    raise typer.Exit({"equivalent": DONE, "different": NO}.get(comparison["answer"], UNCLEAR))
