"""Training: trains a family and leaves an ONNX file with a record of how; a finished training is not repeated.

Interrupted trainings go on from their last whole epoch. How many epochs fit into the time is found out on a few batches
and written down, so that going on later trains the same number.
"""

import copy
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.product_images import networks
from examples.steps import Say, part, read_record
from weighbridge.api.documents import write_json
from weighbridge.core.canonical import digest_of
from weighbridge.measure.conditions import manifest
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.optimization.methods.networks import INPUT, digest_of_array, export
from weighbridge.optimization.methods.training import TrainingSettings, TrainingTask, fit
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner

RECORD, PACE = "training.json", "pace.json"
FEATURES_AT_ONCE, TRIED_BATCHES = 250, 4
# How far the frozen layers bring the MobileNet on its way from 0 to 1.
FROZEN_SHARE = 0.3
RATES = {"mobilenet": 1e-3, "resnet": 5e-3, "vit": 2e-3}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One family: its name, its folder, the images, the most epochs, the seconds it may take, and the seed."""

    family: str
    folder: Path
    images: DataSet
    epochs: int
    seconds: float
    seed: int

    @property
    def model(self) -> Path:
        """Return where the trained network lies."""
        return self.folder / f"{self.family}.onnx"


def train_family(task: Task, say: Say, *, clock: Callable[[], float] = time.monotonic) -> dict[str, Any]:
    """Train a family unless that was done already; return its record. Raises Invalid where weights are missing."""
    key = digest_of(
        {
            "family": task.family,
            "epochs": task.epochs,
            "seed": task.seed,
            "rate": RATES[task.family],
            "images": digest_of_array(task.images.x),
            "classes": digest_of_array(task.images.truth),
        }
    )
    record = read_record(task.folder / RECORD)
    if record.get("key") == key and task.model.is_file() and record.get("digest") == digest_of_file(task.model):
        return record
    task.folder.mkdir(parents=True, exist_ok=True)
    begun = clock()
    frozen, tuned, x = _prepared(task, say)
    epochs = _affordable(task, key, tuned, x, task.seconds - (clock() - begun), clock)
    losses = _taught(task, key, tuned, x, epochs, say)
    export(frozen(tuned), task.model, example=task.images.x[:1])
    record = {
        "key": key,
        "family": task.family,
        "epochs": epochs,
        "losses": losses,
        "seconds": round(clock() - begun, 1),
        "images": len(task.images.x),
        "digest": digest_of_file(task.model),
        "manifest": manifest.seal_manifest(
            {
                "libraries": manifest.library_versions(("numpy", "torch", "torchvision")),
                "machine": manifest.describe_machine(),
                "weights": networks.WEIGHTS_FILE if task.family == "mobilenet" else None,
                "seed": task.seed,
            }
        ),
    }
    write_json(task.folder / RECORD, record)
    return record


def _prepared(task: Task, say: Say) -> tuple[Callable[[Any], Any], Any, Any]:
    """Return how to make the whole network of the trained part, that part, and what it is trained on."""
    import torch
    from torch import nn

    torch.manual_seed(task.seed)
    x = torch.from_numpy(task.images.x)
    if task.family != "mobilenet":
        network = networks.resnet() if task.family == "resnet" else networks.vision_transformer()
        return (lambda tuned: tuned), network, x
    frozen, tuned = networks.mobilenet(networks.weights_path())
    features = torch.from_numpy(_seen(frozen, task, say))
    return (lambda tuned: nn.Sequential(frozen, tuned)), tuned, features


def _seen(frozen: Any, task: Task, say: Say) -> NDArray[Any]:
    """Return what the frozen part makes of every image; ONNX Runtime is several times as quick at it as PyTorch."""
    import torch

    path, x = task.folder / "frozen.onnx", task.images.x
    export(frozen, path, example=x[:1])
    runner = OnnxRuntimeRunner(path, threads=torch.get_num_threads())
    parts = []
    for start in range(0, len(x), FEATURES_AT_ONCE):
        parts.append(runner.infer({INPUT: x[start : start + FEATURES_AT_ONCE]})[0])
        say(FROZEN_SHARE * start / len(x), "mobilenet: looking at the images through its frozen layers")
    return np.concatenate(parts)


def _affordable(task: Task, key: str, network: Any, x: Any, seconds: float, clock: Callable[[], float]) -> int:
    """Return how many epochs fit into `seconds`: at least one, at most those asked for; as written down before."""
    known = read_record(task.folder / PACE)
    if known.get("key") == key:
        return int(known["epochs"])
    settings = TrainingSettings(epochs=1, seed=task.seed, learning_rate=RATES[task.family])
    few, trial = x[: TRIED_BATCHES * settings.batch], copy.deepcopy(network)
    begun = clock()
    fit(trial, _training_task(task, few), settings=settings, checkpoint=None, on_progress=lambda _share, _doing: None)
    epoch_s = (clock() - begun) * len(x) / len(few)
    epochs = max(1, min(task.epochs, int(seconds / epoch_s))) if epoch_s > 0 else task.epochs
    write_json(task.folder / PACE, {"key": key, "epochs": epochs, "epoch_s": round(epoch_s, 2)})
    return epochs


def _taught(task: Task, key: str, network: Any, x: Any, epochs: int, say: Say) -> list[float]:
    settings = TrainingSettings(epochs=epochs, seed=task.seed, learning_rate=RATES[task.family])
    start = FROZEN_SHARE if task.family == "mobilenet" else 0.0
    return fit(
        network,
        dataclasses.replace(_training_task(task, x), key={"training": key}),
        settings=settings,
        checkpoint=task.folder / "checkpoint.safetensors",
        on_progress=part(say, start, 1.0, name=task.family),
    )


def _training_task(task: Task, x: Any) -> TrainingTask:
    import torch
    from torch.nn import functional

    labels = torch.from_numpy(task.images.truth)
    return TrainingTask(
        x=x, loss=lambda scores, rows: functional.cross_entropy(scores, labels[rows], label_smoothing=0.05), key={}
    )
