"""Train the three families of the product-image example with short settings; the team files the best one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from examples.company import images
from examples.product_images import images as kept
from examples.product_images.settings import QUICK
from examples.product_images.training import Task, train_family
from weighbridge.core.errors import Refused
from weighbridge.measure.inputs.data_set import DataSet, write_data_set
from weighbridge.optimization.methods.networks import INPUT
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

# Enough to rule out a loss of one point of accuracy, but few enough for a variant that is ten times as slow.
TEST_IMAGES, HELD_BACK, AT_ONCE = 3_000, 2_000, 250
TRAINING_MINUTES = 1.2
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """The model to file, its rivals, and the unseen test images."""

    best: Path
    others: tuple[Path, ...]
    data: Path


def train(var: Path, say: Say) -> Trained:
    """Train each family, compare them on held-out images, and write test images."""
    found, target = images.folder(var), var / "demo" / "candidates"
    shown = kept.load(found, kept.TRAIN, most=QUICK.images + HELD_BACK)
    learned, held = (shown.take(part) for part in np.split(np.arange(len(shown)), [QUICK.images]))
    seconds = TRAINING_MINUTES * 60 / len(QUICK.epochs)
    scores = {}
    for family, epochs in QUICK.epochs.items():
        task = Task(
            family=family, folder=target / family, images=learned, epochs=epochs, seconds=seconds, seed=QUICK.seed
        )
        try:
            record = train_family(task, lambda _share, _doing: None)
        except Refused as refused:
            raise SystemExit(refused.reason) from refused
        scores[task.model] = _accuracy(task.model, held)
        say(
            f"{family}: {record['epochs']} epochs in {record['seconds']:.0f} s, accuracy {scores[task.model]:.1%} on "
            "held-out images"
        )
    order = sorted(scores, key=lambda model: -scores[model])
    tests = kept.load(found, kept.TEST, most=TEST_IMAGES)
    data = target / "product-images-test.npz"
    write_data_set(tests, data)
    return Trained(order[0], tuple(order[1:]), data)


def _accuracy(model: Path, rows: DataSet) -> float:
    runner = OnnxRuntimeRunner(model, threads=2)
    parts = [runner.infer({INPUT: rows.x[at : at + AT_ONCE]})[0].argmax(axis=1) for at in range(0, len(rows), AT_ONCE)]
    return float((np.concatenate(parts) == rows.truth).mean())
