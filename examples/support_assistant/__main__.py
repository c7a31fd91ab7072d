"""`python -m examples.support_assistant`: run the case in the terminal. A rerun resumes an interrupted run."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from examples.support_assistant import story
from examples.support_assistant.settings import FULL, QUICK
from weighbridge.api.job_progress import now
from weighbridge.cli.exits import DONE, NO, errors_as_exits
from weighbridge.cli.tables.terminal import progress
from weighbridge.core.extras import import_extra, require_extra

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def support_assistant(
    out: Annotated[
        Path, typer.Option(help="Folder for answers, results and the report; use the same folder to resume.")
    ] = Path("support-assistant"),
    quick: Annotated[bool, typer.Option("--quick", help="40 tickets, shorter load tests: about four minutes.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Choose who answers the questions of customers: managed API, open model, tiny model or a small specialist."""
    interrupted = f"Interrupted; finished steps are in {out}. Run the same command to continue."
    with errors_as_exits(interrupted=interrupted):
        require_extra("charts")
        for library in ("regex", "jsonschema", "referencing"):
            import_extra(library)
        with progress(sys.stderr, is_quiet=quiet) as say:
            ending = story.run_case(out, settings=QUICK if quick else FULL, say=say, now=now)
    for remark in (ending.without_model, ending.without_pdf):
        if remark:
            typer.echo(f"weighbridge: {remark}", err=True)
    if not quiet:
        typer.echo(ending.headline)
        typer.echo(f"The report {story.PAGE}.html, its charts and the results as JSON are in {ending.folder}.")
    raise typer.Exit(DONE if ending.winner else NO)


if __name__ == "__main__":
    # Must be set before an engine is loaded, here and in child processes.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="python -m examples.support_assistant")
