"""`weighbridge profile`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarking.toolkit.commands.exits import DONE, INTERRUPTED, NO, stop, write_json
from governance.domain.refusals import Refused


def profile(
    model: Annotated[Path, typer.Argument(help="The model, an ONNX file.")],
    data: Annotated[Path | None, typer.Option(help="Data set, .npz with x (rows, ...) and y (rows,).")] = None,
    samples: Annotated[int, typer.Option(help="Least number of timed inferences.")] = 3_000,
    threads: Annotated[int, typer.Option(help="Threads the model may use.")] = 1,
    wall: Annotated[float, typer.Option(help="Seconds after which the run is stopped.")] = 600.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Measure what a model costs in time and memory, and how good it is on a data set."""
    import tempfile

    from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream
    from benchmarking.toolkit.runners.isolated import Limits, profile_isolated
    from benchmarking.toolkit.terminal import progress, show_result

    try:
        settings = ProfileSettings(scenario=SingleStream(min_samples=samples, threads=threads))
        limits = Limits(wall_s=wall)
        with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder, progress(sys.stderr, is_quiet=quiet) as say:
            result = profile_isolated(
                model=model, settings=settings, data=data, limits=limits,
                on_progress=say, should_stop=lambda: False, workdir=Path(folder),
            )  # fmt: skip
        if json_file is not None:
            write_json(json_file, result)
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop("Interrupted; the run was stopped and left no result.", code=INTERRUPTED)
    if not quiet:
        show_result(result, sys.stdout)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)
