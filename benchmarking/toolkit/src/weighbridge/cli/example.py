"""`weighbridge example`."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, INTERRUPTED, NO, stop
from weighbridge.core.errors import Refused


def product_images(
    out: Annotated[Path, typer.Option(help="Folder for models, figures and the page; the same one goes on.")] = Path(
        "product-images"
    ),
    data: Annotated[Path | None, typer.Option(help="Folder with the four files of Fashion-MNIST.")] = None,
    images: Annotated[int | None, typer.Option(help="How many images to train on.")] = None,
    minutes: Annotated[float, typer.Option(help="About how long it may take on two processors.")] = 10.0,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer epochs, one variant each: about two minutes.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Fine-tune a MobileNet, a ResNet and a Vision Transformer on product images, and recommend one for a device."""
    import dataclasses
    from datetime import UTC, datetime

    from examples.product_images.settings import FULL, QUICK
    from examples.product_images.story import tell
    from weighbridge.cli.tables.terminal import progress
    from weighbridge.core.extras import need_extra

    try:
        for extra in ("torch", "examples", "charts"):
            need_extra(extra)
        base = QUICK if quick else FULL
        # Measuring takes the rest; it does not shrink with the time.
        share = base.training_minutes if quick else minutes * FULL.training_minutes / 10
        settings = dataclasses.replace(base, images=images or base.images, training_minutes=share)
        with progress(sys.stderr, is_quiet=quiet) as say:
            ending = tell(
                out, data=data, settings=settings, say=say, now=lambda: datetime.fromtimestamp(time.time(), UTC)
            )
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop(f"Interrupted; what was finished is in {out}, and the same command goes on from there.", code=INTERRUPTED)
    if ending.without_pdf is not None:
        typer.echo(f"weighbridge: {ending.without_pdf}", err=True)
    if not quiet:
        typer.echo(ending.headline)
        typer.echo(f"The page, its charts and candidates.json are in {ending.folder}.")


def fraud_api(
    out: Annotated[
        Path, typer.Option(help="Folder for models, figures and the justification; the same one goes on.")
    ] = Path("fraud-api"),
    quick: Annotated[bool, typer.Option("--quick", help="Fewer transactions, less load: under a minute.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Choose a fraud detector for 1,000 transactions a second: managed API, fine-tuned open model, or one's own."""
    from datetime import UTC, datetime

    from examples.fraud_api.settings import FULL, QUICK
    from examples.fraud_api.story import tell
    from weighbridge.cli.tables.terminal import progress
    from weighbridge.core.extras import need_extra

    try:
        for extra in ("torch", "charts"):
            need_extra(extra)
        with progress(sys.stderr, is_quiet=quiet) as say:
            ending = tell(
                out, settings=QUICK if quick else FULL, say=say, now=lambda: datetime.fromtimestamp(time.time(), UTC)
            )
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop(f"Interrupted; what was finished is in {out}, and the same command goes on from there.", code=INTERRUPTED)
    if ending.without_pdf is not None:
        typer.echo(f"weighbridge: {ending.without_pdf}", err=True)
    if not quiet:
        typer.echo(ending.headline)
        typer.echo(
            f"The justification, its charts, the cost spec, projection.json and decision.json are in {ending.folder}."
        )
    raise typer.Exit(DONE if ending.winner else NO)
