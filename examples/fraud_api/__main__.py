"""`python -m examples.fraud_api`: run the case in the terminal. A rerun resumes an interrupted run."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from examples.fraud_api import story
from examples.fraud_api.settings import FULL, QUICK
from weighbridge.api.job_progress import now
from weighbridge.cli.exits import DONE, NO, errors_as_exits
from weighbridge.cli.tables.terminal import progress
from weighbridge.core.extras import require_extra

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def fraud_api(
    out: Annotated[
        Path, typer.Option(help="Folder for models, metrics and the justification; use the same folder to resume.")
    ] = Path("fraud-api"),
    quick: Annotated[bool, typer.Option("--quick", help="Fewer transactions, less load: under a minute.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Choose a fraud detector for 1,000 transactions a second: managed API, fine-tuned model or own small model."""
    interrupted = f"Interrupted; finished variants are in {out}. Run the same command to continue."
    with errors_as_exits(interrupted=interrupted):
        require_extra("torch")
        require_extra("charts")
        with progress(sys.stderr, is_quiet=quiet) as say:
            ending = story.run_case(out, settings=QUICK if quick else FULL, say=say, now=now)
    if ending.without_pdf is not None:
        typer.echo(f"weighbridge: {ending.without_pdf}", err=True)
    if not quiet:
        typer.echo(ending.headline)
        typer.echo(
            f"The justification, its charts, the cost spec, projection.json and decision.json are in {ending.folder}."
        )
    raise typer.Exit(DONE if ending.winner else NO)


if __name__ == "__main__":
    # Must be set before an engine is loaded, here and in child processes.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="python -m examples.fraud_api")
