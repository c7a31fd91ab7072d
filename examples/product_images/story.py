"""Run the example: train three families, measure them and their variants, recommend one. Finished steps are stored."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from examples.product_images import images
from examples.product_images.settings import ON_DEVICE, ExampleSettings
from examples.product_images.training import Task, train_family
from examples.steps import Clock, Say, nth_part, part, writing_to
from weighbridge.api.documents import write_json
from weighbridge.measure.conditions import manifest
from weighbridge.measure.inputs.data_set import DataSet, write_data_set
from weighbridge.optimization import plan, series
from weighbridge.optimization.families import merge_families
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer
from weighbridge.tradeoff.requirements import Requirements
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish
from weighbridge.tradeoff.sheets.recommendation_page import page_of

CANDIDATES, TEST_ROWS, SHOWN_ROWS, PAGE = "candidates.json", "test.npz", "shown.npz", "recommendation"
# Progress (0 to 1) after training and after measuring.
TRAINED, MEASURED = 0.6, 0.97


@dataclasses.dataclass(frozen=True)
class ImageOutcome:
    """The outcome: the candidates, the headline, the folder, and why there is no PDF (None if there is one)."""

    candidates: Candidates
    headline: str
    folder: Path
    without_pdf: str | None


def run_example(
    folder: Path,
    *,
    data: Path | None,
    settings: ExampleSettings,
    say: Say,
    now: Clock,
    requirements: Requirements = ON_DEVICE,
    print_page: Print = print_pdf,
) -> ImageOutcome:
    """Run the whole example in `folder`. A rerun resumes an interrupted run.

    Raises Invalid if images or weights are missing or the folder is not writable. Exceptions of `say` are passed on;
    `candidates.json` then contains the finished candidates, marked as partial.
    """
    say(0.0, "reading the images")
    source = images.folder_of(data)
    train = images.load(source, images.TRAIN, most=settings.images)
    _write_data(folder, train, images.load(source, images.TEST), settings)
    records = _train(folder, train, settings, say)
    choice = _measure(folder, records, settings, say, now)
    say(MEASURED, "drawing charts and writing files")
    page = page_of(choice, requirements, title="Product images on the device")
    missing = publish(page, folder, name=PAGE, print_page=print_page)
    say(1.0, "done")
    return ImageOutcome(choice, page.headline, folder, missing)


def _write_data(folder: Path, train: DataSet, test: DataSet, settings: ExampleSettings) -> None:
    """Write the calibration rows, taken from the training images, and the test rows."""
    order = np.random.default_rng(settings.seed).permutation(len(train.x))[: settings.calibrate]
    with writing_to(folder):
        write_data_set(train.take(np.sort(order)), folder / SHOWN_ROWS)
        write_data_set(test, folder / TEST_ROWS)


def _train(folder: Path, train: DataSet, settings: ExampleSettings, say: Say) -> dict[str, dict[str, Any]]:
    records = {}
    seconds = settings.training_minutes * 60 / len(settings.epochs)
    for index, (family, epochs) in enumerate(settings.epochs.items()):
        task = Task(
            family=family, folder=folder / family, images=train, epochs=epochs, seconds=seconds, seed=settings.seed
        )
        records[family] = train_family(task, nth_part(part(say, 0.0, TRAINED), index, len(settings.epochs)))
    return records


def _measure(
    folder: Path, records: Mapping[str, Mapping[str, Any]], settings: ExampleSettings, say: Say, now: Clock
) -> Candidates:
    """Measure every family and its variants; rewrite `candidates.json` after each of them."""
    done: dict[str, Candidates] = {}

    def keep(family: str, found: Candidates) -> None:
        done[family] = found
        whole = merged(done, records, settings, is_partial=len(done) < len(records) or found.is_partial)
        write_json(folder / CANDIDATES, whole.as_document())

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
        follow = (nth_part(part(say, TRAINED, MEASURED), index, len(records)), lambda: False)
        keep(family, series.run(tried, follow=follow, now=now, keep=functools.partial(keep, family)))
    return merged(done, records, settings, is_partial=False)


def merged(
    families: Mapping[str, Candidates],
    records: Mapping[str, Mapping[str, Any]],
    settings: ExampleSettings,
    *,
    is_partial: bool,
) -> Candidates:
    """Combine the candidates of several families, with their training records."""
    sealed = manifest.seal_manifest(
        {
            "settings": dataclasses.asdict(settings),
            "isolation": merge_families(families, sealed=None, is_partial=is_partial).isolation(),
            "training": {family: dict(records[family]) for family in families},
            "series": {family: (found.manifest or {}).get("digest") for family, found in families.items()},
            "machine": manifest.describe_machine(),
        }
    )
    described = {
        family: dataclasses.replace(
            found,
            candidates=tuple(_with_training(candidate, family, records[family]) for candidate in found.candidates),
        )
        for family, found in families.items()
    }
    return merge_families(described, sealed=sealed, is_partial=is_partial)


def _with_training(candidate: Candidate, family: str, record: Mapping[str, Any]) -> Candidate:
    """Add the training and the file to an original model."""
    if candidate.verdict.answer is not VariantAnswer.BASELINE:
        return candidate
    made_by = f"trained on {record['images']:,} images for {record['epochs']} epochs"
    return dataclasses.replace(candidate, made_by=made_by, file=f"{family}.onnx")
