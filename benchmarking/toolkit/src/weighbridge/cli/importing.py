"""`weighbridge import`: results of other tools."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, errors_as_exits, output


def import_results(
    files: Annotated[list[Path], typer.Argument(help="Result files of other tools, or folders of runs.")],
    tool: Annotated[
        str,
        typer.Option(
            help="The tool that wrote them: weighbridge, loadgen, guidellm, aiperf, triton, lm_eval, inspect_ai, "
            "mlflow or wandb; default: found by the content.",
        ),
    ] = "",
    json_file: Annotated[Path | None, typer.Option("--json", "-o", help="Write the results to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Read results of other tools, with their doubts.

    Nothing is guessed: what a file does not state is absent, with the reason. Exit codes: 0 done, 1 a result is
    invalid, 2 a file cannot be read.
    """
    from weighbridge.api import documents

    with errors_as_exits(writes=(json_file,)):
        imported = documents.import_results(files, tool=tool or None)
        output(imported, json_file, is_quiet=quiet)
    is_invalid = any(result["verdict"]["status"] == "invalid" for result in imported["results"])
    raise typer.Exit(NO if is_invalid else DONE)
