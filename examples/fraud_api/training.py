"""Lessons: trains B and C, measures both on the same test rows, and measures C at parts of the data for its learning
curve.

Recall counts the reported frauds that are flagged where 1 genuine transaction in 100 is. Networks train on one thread:
small batches gain nothing from more.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from examples.fraud_api import networks
from examples.fraud_api.settings import FraudSettings
from examples.fraud_api.step_cache import cached
from examples.fraud_api.transactions import Transactions, caught, generate
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.optimization.methods.networks import INPUT, export, parameters
from weighbridge.optimization.methods.training import Lesson, TrainingSettings, fit
from weighbridge.statistics.order_statistics import wilson_interval
from weighbridge.systems.onnx_runtime import OnnxRuntimeRunner
from weighbridge.tradeoff.learning.learning_curve import as_document, forecast

RATES = {"b": 3e-3, "c": 4e-3}
# Parts of the data that the learning curve is measured on: all, two halves, four quarters and so on.
PARTS, MOST_OF_A_SIZE = (1, 2, 4, 8, 16), 4
BEYOND = 4
AT_ONCE = 2_000
Say = Callable[[float, str], None]


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
        begun = time.monotonic()
        with one_thread():
            network = _network(option, settings)
            if option == "b":
                _pretrained(
                    network, folder, settings, lambda share, doing: say(share * 0.4, f"B, pre-training: {doing}")
                )
            start = 0.4 if option == "b" else 0.0
            _fitted(
                network,
                option,
                training_set(settings),
                settings,
                settings.epochs[option],
                folder / f"{option}.safetensors",
                lambda share, doing: say(start + share * (1 - start), f"{option.upper()}: {doing}"),
            )
        seconds = time.monotonic() - begun
        export(network, model, example=training_set(settings).x[:1])
        passes = settings.rows * settings.epochs[option] + (
            settings.unlabeled * settings.pretrain_epochs if option == "b" else 0
        )
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
    rows, errors = [], []
    train, test = training_set(settings), test_set(settings)
    plan = [(parts, index) for parts in PARTS for index in range(min(parts, MOST_OF_A_SIZE))]
    for done, (parts, index) in enumerate(plan):
        size = settings.rows // parts
        say(0.6 * done / len(plan), f"C with {size:,} of its transactions")
        part = _slice(train, index * size, size)
        found = cached(
            folder / f"curve-{parts}-{index}.json",
            _decides(settings, "c") | {"parts": parts, "index": index},
            lambda part=part, parts=parts: {"recall": _measured_c(part, parts, test, settings)},  # type: ignore[misc]
        )
        rows.append(size)
        errors.append(1 - found["recall"])
    say(0.6, "C with four times the transactions, to hold the forecast against")
    beyond = cached(
        folder / "beyond.json",
        _decides(settings, "c") | {"beyond": BEYOND},
        lambda: {
            "recall": _measured_c(generate(settings.rows * BEYOND, seed=settings.seed + 3), 1 / BEYOND, test, settings)
        },
    )
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
        [runner.first_output({INPUT: x})[:, 0] for x in np.array_split(test.x, -(-len(test.x) // AT_ONCE))]
    )
    return _recall(scores, test)


def _recall(scores: Any, test: Transactions) -> dict[str, Any]:
    frauds = int(test.y.sum())
    found = wilson_interval(caught(scores, test.y), frauds, 0.9)
    if found is None:
        raise Invalid("The test rows hold no fraud; draw more.", code="rows", field="test_rows")
    return {"value": found.value, "lower": found.lower, "upper": found.upper, "confidence": 0.9, "n": frauds}


def _measured_c(train: Transactions, parts: float, test: Transactions, settings: FraudSettings) -> float:
    """Train C anew on a share of the rows and return its recall; steps grow with the square root of the rows.

    So small parts are neither passed over too often nor too seldom, and four times the data follows the same rule.
    """
    import torch

    with one_thread():
        network = _network("c", settings)
        _fitted(
            network,
            "c",
            train,
            settings,
            round(settings.epochs["c"] * math.sqrt(parts)),
            None,
            lambda _share, _doing: None,
        )
        with torch.no_grad():
            scores = network(torch.from_numpy(test.x)).numpy()[:, 0]
    return float(_recall(scores, test)["value"])


def _network(option: str, settings: FraudSettings) -> Any:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return networks.transformer() if option == "b" else networks.light()


def _pretrained(network: Any, folder: Path, settings: FraudSettings, say: Say) -> None:
    """Teach B to guess hidden features of transactions without labels."""
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

    lesson = Lesson(x=x, loss=lambda misses, _rows: misses.mean(), key={"guess": settings.seed})
    fit(
        Guessing(),
        lesson,
        settings=_training("b", settings, settings.pretrain_epochs),
        checkpoint=folder / "pretrained.safetensors",
        on_progress=say,
    )


def _fitted(
    network: Any,
    option: str,
    train: Transactions,
    settings: FraudSettings,
    epochs: int,
    checkpoint: Path | None,
    say: Say,
) -> None:
    import torch
    from torch.nn import functional

    labels = torch.from_numpy(train.y).float()
    lesson = Lesson(
        x=torch.from_numpy(train.x),
        loss=lambda scores, rows: functional.binary_cross_entropy_with_logits(scores[:, 0], labels[rows]),
        key=_decides(settings, option),
    )
    fit(network, lesson, settings=_training(option, settings, epochs), checkpoint=checkpoint, on_progress=say)


def _training(option: str, settings: FraudSettings, epochs: int) -> TrainingSettings:
    return TrainingSettings(epochs=epochs, batch=settings.batch, learning_rate=RATES[option], seed=settings.seed)


def _decides(settings: FraudSettings, option: str) -> dict[str, Any]:
    """Return all of the settings that a lesson hangs on."""
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


def _slice(rows: Transactions, start: int, size: int) -> Transactions:
    end = start + size
    return Transactions(rows.x[start:end], rows.y[start:end], rows.log_odds[start:end])


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
