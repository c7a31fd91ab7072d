"""`python -m examples.product_images`: the whole case at the terminal, resumed where it was stopped."""

import dataclasses
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from examples.product_images import story
from examples.product_images.settings import FULL, QUICK, ExampleSettings
from weighbridge.api.job_progress import now
from weighbridge.cli.exits import errors_as_exits
from weighbridge.cli.tables.terminal import progress
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import require_extra

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def product_images(
    out: Annotated[
        Path, typer.Option(help="Folder for models, metrics and the page; use the same folder to resume.")
    ] = Path("product-images"),
    data: Annotated[Path | None, typer.Option(help="Folder with the four files of Fashion-MNIST.")] = None,
    images: Annotated[int | None, typer.Option(help="Number of training images.")] = None,
    minutes: Annotated[float, typer.Option(help="Approximate duration on two processors.")] = 10.0,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer epochs, one variant each: about two minutes.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Fine-tune a MobileNet, a ResNet and a Vision Transformer on product images, and recommend one for a device."""
    interrupted = f"Interrupted; finished variants are in {out}. Run the same command to continue."
    with errors_as_exits(interrupted=interrupted):
        _need_libraries()
        settings = _settings(images, minutes, is_quick=quick)
        with progress(sys.stderr, is_quiet=quiet) as say:
            ending = story.run_example(out, data=data, settings=settings, say=say, now=now)
    if ending.without_pdf is not None:
        typer.echo(f"weighbridge: {ending.without_pdf}", err=True)
    if not quiet:
        typer.echo(ending.headline)
        typer.echo(f"The page, its charts and candidates.json are in {ending.folder}.")


def _need_libraries() -> None:
    require_extra("torch")
    require_extra("charts")
    try:
        importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        raise Invalid('This needs torchvision. Install it: pip install "torchvision>=0.21,<1".') from error


def _settings(images: int | None, minutes: float, *, is_quick: bool) -> ExampleSettings:
    base = QUICK if is_quick else FULL
    # Measuring takes the rest of the time and cannot be shortened.
    share = base.training_minutes if is_quick else minutes * FULL.training_minutes / 10
    return dataclasses.replace(base, images=images or base.images, training_minutes=share)


if __name__ == "__main__":
    # Must be set before an engine is loaded, here and in child processes.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="python -m examples.product_images")
