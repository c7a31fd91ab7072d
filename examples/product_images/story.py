"""The story: train three families, measure them and their variants, draw, recommend; every finished step is kept."""

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from examples.product_images import images
from examples.product_images.lessons import Task, trained
from examples.product_images.settings import ON_DEVICE, ExampleSettings
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions import manifest
from weighbridge.measure.inputs import DataSet
from weighbridge.optimization import plan, series
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer
from weighbridge.tradeoff.families import together
from weighbridge.tradeoff.requirements import Requirements
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish
from weighbridge.tradeoff.sheets.recommendation_page import page_of

CANDIDATES, TEST_ROWS, SHOWN_ROWS, PAGE = "candidates.json", "test.npz", "shown.npz", "recommendation"
# Where training ends and measuring ends, on the way from 0 to 1.
TRAINED, MEASURED = 0.6, 0.97
Say = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class ImageOutcome:
    """What came of it: the candidates, the headline, the folder, and why there is no PDF (None where there is one)."""

    candidates: Candidates
    headline: str
    folder: Path
    without_pdf: str | None


def tell(
    folder: Path,
    *,
    data: Path | None,
    settings: ExampleSettings,
    say: Say,
    now: Callable[[], datetime],
    requirements: Requirements = ON_DEVICE,
    print_page: Print = print_pdf,
) -> ImageOutcome:
    """Run the whole example in `folder`; the same call goes on where an interrupted one stopped.

    Raises Invalid where images or weights are missing or nothing can be written; whatever `say` raises passes through,
    and `candidates.json` then holds what was finished, marked as partial.
    """
    say(0.0, "reading the images")
    source = images.folder_of(data)
    train = images.load(source, images.TRAIN, most=settings.images)
    _lay_out(folder, train, images.load(source, images.TEST), settings)
    records = _train(folder, train, settings, say)
    choice = _measure(folder, records, settings, say, now)
    say(MEASURED, "drawing and writing")
    page = page_of(choice, requirements, title="Product images on the device")
    missing = publish(page, folder, name=PAGE, print_page=print_page)
    say(1.0, "done")
    return ImageOutcome(choice, page.recommendation.headline, folder, missing)


def _lay_out(folder: Path, train: DataSet, test: DataSet, settings: ExampleSettings) -> None:
    """Write the rows that variants are calibrated with, taken from the training images, and the rows that
    judge them.
    """
    order = np.random.default_rng(settings.seed).permutation(len(train.x))[: settings.calibrate]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / SHOWN_ROWS, x=train.x[np.sort(order)], y=train.y[np.sort(order)])
        np.savez(folder / TEST_ROWS, x=test.x, y=test.y)
    except OSError as error:
        raise Invalid(f"Nothing can be written into {folder}: {error.strerror}.", code="folder", field="out") from error


def _train(folder: Path, train: DataSet, settings: ExampleSettings, say: Say) -> dict[str, dict[str, Any]]:
    records = {}
    seconds = settings.training_minutes * 60 / len(settings.epochs)
    for index, (family, epochs) in enumerate(settings.epochs.items()):
        task = Task(
            family=family, folder=folder / family, images=train, epochs=epochs, seconds=seconds, seed=settings.seed
        )
        records[family] = trained(task, _part(say, index, len(settings.epochs), 0.0, TRAINED))
    return records


def _measure(
    folder: Path,
    records: Mapping[str, Mapping[str, Any]],
    settings: ExampleSettings,
    say: Say,
    now: Callable[[], datetime],
) -> Candidates:
    """Measure every family and its variants; `candidates.json` is written anew after each of them."""
    done: dict[str, Candidates] = {}

    def keep(family: str, found: Candidates) -> None:
        done[family] = found
        together = merged(done, records, settings, is_partial=len(done) < len(records) or found.is_partial)
        part = folder / f"{CANDIDATES}.part"
        part.write_text(json.dumps(together.as_document(), indent=1) + "\n")
        part.replace(folder / CANDIDATES)

    for index, family in enumerate(records):
        choice = plan.OptimizationChoice(
            folder=folder / family,
            only=settings.variants,
            calibrate=settings.calibrate,
            settings=settings.trial(),
            seed=settings.seed,
        )
        tried = plan.of_file(
            folder / family / f"{family}.onnx", folder / TEST_ROWS, calibration=folder / SHOWN_ROWS, choice=choice
        )
        follow = (_part(say, index, len(records), TRAINED, MEASURED), lambda: False)
        keep(family, series.run(tried, follow=follow, now=now, keep=functools.partial(keep, family)))
    return merged(done, records, settings, is_partial=False)


def merged(
    families: Mapping[str, Candidates],
    records: Mapping[str, Mapping[str, Any]],
    settings: ExampleSettings,
    *,
    is_partial: bool,
) -> Candidates:
    """Put the candidates of several families into one choice, with the record of how each was trained."""
    sealed = manifest.sealed(
        {
            "settings": settings.as_document(),
            "isolation": together(families, sealed=None, is_partial=is_partial).isolation(),
            "training": {family: dict(records[family]) for family in families},
            "series": {family: (found.manifest or {}).get("digest") for family, found in families.items()},
            "machine": manifest.machine(),
        }
    )
    told = {
        family: dataclasses.replace(
            found, candidates=tuple(_told(each, family, records[family]) for each in found.candidates)
        )
        for family, found in families.items()
    }
    return together(told, sealed=sealed, is_partial=is_partial)


def _told(candidate: Candidate, family: str, record: Mapping[str, Any]) -> Candidate:
    """Say of an original how it was trained and where it lies."""
    if candidate.verdict.answer is not VariantAnswer.BASELINE:
        return candidate
    made_by = f"trained on {record['images']:,} images for {record['epochs']} epochs"
    return dataclasses.replace(candidate, made_by=made_by, file=f"{family}.onnx")


def _part(say: Say, index: int, of: int, start: float, end: float) -> Say:
    """Return a `say` whose 0 to 1 is one of `of` equal parts between two shares."""
    width = (end - start) / of
    return lambda share, doing: say(start + (index + share) * width, doing)
