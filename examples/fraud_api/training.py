"""Training: trains B and C, measures both on the same test rows, and measures C at parts of the data.

Recall counts the reported frauds that are flagged where 1 genuine transaction in 100 is. Networks train on one thread:
small batches gain nothing from more.
"""

import contextlib
import functools
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from examples.fraud_api import networks
from examples.fraud_api.settings import FraudSettings
from examples.fraud_api.transactions import Transactions, caught, generate
from examples.steps import Say, cached, part
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.optimization.methods.networks import INPUT, export, parameters
from weighbridge.optimization.methods.training import TrainingSettings, TrainingTask, fit
from weighbridge.statistics.order_statistics import wilson_interval
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.tradeoff.learning.learning_curve import as_document, forecast

RATES = {"b": 3e-3, "c": 4e-3}
# Parts of the data that the learning curve is measured on: all, two halves, four quarters and so on.
PARTS, MOST_OF_A_SIZE = (1, 2, 4, 8, 16), 4
# The share of the progress of B that pre-training takes.
PRETRAINING = 0.4
BEYOND = 4
AT_ONCE = 2_000


def training_set(settings: FraudSettings) -> Transactions:
    """Return the labeled transactions at hand."""
    return generate(settings.rows, seed=settings.seed)


def test_set(settings: FraudSettings) -> Transactions:
    """Return the transactions that judge."""
    return generate(settings.test_rows, seed=settings.seed + 1)


def train_option(option: str, folder: Path, settings: FraudSettings, say: Say) -> dict[str, Any]:
    """Train `b` or `c` unless that was done, and return its record; the model lies beside it as `<option>.onnx`."""
    model, decides = folder / f"{option}.onnx", _decides(settings, option)

    def make() -> dict[str, Any]:
        begun, pretrained = time.monotonic(), 0.0
        train, epochs, passes = training_set(settings), settings.epochs[option], settings.rows * settings.epochs[option]
        with one_thread():
            network = _network(option, settings)
            if option == "b":
                pretrained, passes = PRETRAINING, passes + settings.unlabeled * settings.pretrain_epochs
                _pretrain(network, folder, settings, part(say, 0.0, pretrained, name="B, pre-training"))
            follow = part(say, pretrained, 1.0, name=option.upper())
            _fit(network, option, train, settings, epochs, folder / f"{option}.safetensors", follow)
        seconds = time.monotonic() - begun
        export(network, model, example=train.x[:1])
        return {
            "option": option,
            "parameters": parameters(network),
            "seconds": round(seconds, 2),
            "passes": passes,
            "rows_per_s": round(passes / seconds, 1),
            "recall": recall_of(model, test_set(settings)),
            "model_bytes": model.stat().st_size,
            "digest": digest_of_file(model),
        }

    record = cached(folder / f"{option}.json", decides, make)
    if not model.is_file() or digest_of_file(model) != record["digest"]:
        (folder / f"{option}.json").unlink()
        record = cached(folder / f"{option}.json", decides, make)
    return record


def learning_curve(folder: Path, settings: FraudSettings, say: Say) -> dict[str, Any]:
    """Measure C at parts of the data, forecast, and train it on four times the data to see whether the forecast held.

    Returns `curve` (`weighbridge.learning-curve/1`, None where errors do not fall), `why`, `beyond` and `best`.
    """
    rows, errors, decides = [], [], _decides(settings, "c")
    train, test = training_set(settings), test_set(settings)
    plan = [(parts, index) for parts in PARTS for index in range(min(parts, MOST_OF_A_SIZE))]
    for done, (parts, index) in enumerate(plan):
        size = settings.rows // parts
        say(0.6 * done / len(plan), f"C with {size:,} of its transactions")
        inputs = decides | {"parts": parts, "index": index}
        measure = functools.partial(_measured_c, train.part(index * size, size), parts, test, settings)
        rows.append(size)
        errors.append(1 - cached(folder / f"curve-{parts}-{index}.json", inputs, measure)["recall"])
    say(0.6, "C with four times the transactions, to hold the forecast against")
    more = generate(settings.rows * BEYOND, seed=settings.seed + 3)
    measure = functools.partial(_measured_c, more, 1 / BEYOND, test, settings)
    beyond = cached(folder / "beyond.json", decides | {"beyond": BEYOND}, measure)
    best = caught(test.log_odds, test.y) / int(test.y.sum())
    try:
        curve, why = as_document(forecast(rows, errors), metric="recall"), ""
    except Invalid as refused:
        curve, why = None, refused.reason
    return {"curve": curve, "why": why, "beyond": beyond["recall"], "beyond_rows": settings.rows * BEYOND, "best": best}


def recall_of(model: Path, test: Transactions) -> dict[str, Any]:
    """Return a model's recall on the test rows with its 90 % interval (Wilson)."""
    runner = OnnxRuntimeRunner(model, threads=1)
    scores = np.concatenate(
        [runner.infer({INPUT: x})[0][:, 0] for x in np.array_split(test.x, -(-len(test.x) // AT_ONCE))]
    )
    return _recall(scores, test)


def _recall(scores: Any, test: Transactions) -> dict[str, Any]:
    frauds = int(test.y.sum())
    found = wilson_interval(caught(scores, test.y), frauds, 0.9)
    if found is None:
        raise Invalid("The test rows hold no fraud; draw more.", code="rows", field="test_rows")
    return {"value": found.value, "lower": found.lower, "upper": found.upper, "confidence": 0.9, "n": frauds}


def _measured_c(train: Transactions, parts: float, test: Transactions, settings: FraudSettings) -> dict[str, Any]:
    """Train C anew on a share of the rows and return its `recall`; steps grow with the square root of the rows.

    So small parts are neither passed over too often nor too seldom, and four times the data follows the same rule.
    """
    import torch

    with one_thread():
        network = _network("c", settings)
        _fit(network, "c", train, settings, round(settings.epochs["c"] * math.sqrt(parts)))
        with torch.no_grad():
            scores = network(torch.from_numpy(test.x)).numpy()[:, 0]
    return {"recall": float(_recall(scores, test)["value"])}


def _network(option: str, settings: FraudSettings) -> Any:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return networks.transformer() if option == "b" else networks.light()


def _pretrain(network: Any, folder: Path, settings: FraudSettings, say: Say) -> None:
    """Train B to guess hidden features of transactions without labels."""
    import torch

    x = torch.from_numpy(generate(settings.unlabeled, seed=settings.seed + 2).x)

    class Guessing(torch.nn.Module):
        """Hides features and guesses them; the loss needs both, so both are returned."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, rows: Any) -> Any:
            """Return squared errors of the hidden features, their mean for each row, (n,)."""
            hidden = torch.rand(rows.shape) < networks.HIDDEN
            misses = (self.inner.rebuild(rows, hidden) - rows) ** 2 * hidden
            return misses.sum(dim=1) / hidden.sum(dim=1).clamp(min=1)

    task = TrainingTask(x=x, loss=lambda misses, _rows: misses.mean(), key={"guess": settings.seed})
    training = _training("b", settings, settings.pretrain_epochs)
    fit(Guessing(), task, settings=training, checkpoint=folder / "pretrained.safetensors", on_progress=say)


def _fit(
    network: Any,
    option: str,
    train: Transactions,
    settings: FraudSettings,
    epochs: int,
    checkpoint: Path | None = None,
    say: Say = lambda _share, _doing: None,
) -> None:
    import torch
    from torch.nn import functional

    labels = torch.from_numpy(train.y).float()
    task = TrainingTask(
        x=torch.from_numpy(train.x),
        loss=lambda scores, rows: functional.binary_cross_entropy_with_logits(scores[:, 0], labels[rows]),
        key=_decides(settings, option),
    )
    fit(network, task, settings=_training(option, settings, epochs), checkpoint=checkpoint, on_progress=say)


def _training(option: str, settings: FraudSettings, epochs: int) -> TrainingSettings:
    return TrainingSettings(epochs=epochs, batch=settings.batch, learning_rate=RATES[option], seed=settings.seed)


def _decides(settings: FraudSettings, option: str) -> dict[str, Any]:
    """Return all of the settings that determine a training."""
    return {
        "option": option,
        "rows": settings.rows,
        "test_rows": settings.test_rows,
        "seed": settings.seed,
        "batch": settings.batch,
        "epochs": settings.epochs[option],
        "rate": str(RATES[option]),
        **({"unlabeled": settings.unlabeled, "pretrain": settings.pretrain_epochs} if option == "b" else {}),
    }


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
