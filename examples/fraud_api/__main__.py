"""`python -m examples.fraud_api`: the whole case at the terminal, resumed where it was stopped."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from examples.fraud_api import story
from examples.fraud_api.settings import FULL, QUICK
from weighbridge.cli.exits import DONE, NO, refusals_told
from weighbridge.cli.tables.terminal import progress
from weighbridge.core.extras import need_extra

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def fraud_api(
    out: Annotated[
        Path, typer.Option(help="Folder for models, metrics and the justification; the same one goes on.")
    ] = Path("fraud-api"),
    quick: Annotated[bool, typer.Option("--quick", help="Fewer transactions, less load: under a minute.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Choose a fraud detector for 1,000 transactions a second: managed API, fine-tuned open model, or one's own."""
    interrupted = f"Interrupted; what was finished is in {out}, and the same command goes on from there."
    with refusals_told(interrupted=interrupted):
        need_extra("torch")
        need_extra("charts")
        with progress(sys.stderr, is_quiet=quiet) as say:
            ending = story.tell(
                out, settings=QUICK if quick else FULL, say=say, now=lambda: datetime.fromtimestamp(time.time(), UTC)
            )
    if ending.without_pdf is not None:
        typer.echo(f"weighbridge: {ending.without_pdf}", err=True)
    if not quiet:
        typer.echo(ending.headline)
        typer.echo(
            f"The justification, its charts, the cost spec, projection.json and decision.json are in {ending.folder}."
        )
    raise typer.Exit(DONE if ending.winner else NO)


if __name__ == "__main__":
    # Set before any engine is loaded, here and in every child.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="python -m examples.fraud_api")
