"""A small convolutional network that really learned scikit-learn's digits, and the rows it never saw."""

import dataclasses

import numpy as np
import pytest

from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.optimization.methods.networks import export
from weighbridge.optimization.methods.training import TrainingSettings, TrainingTask, fit


@dataclasses.dataclass(frozen=True)
class Digits:
    train: DataSet
    test: DataSet


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small batches gain nothing from threads, and lose much where other tests run beside them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def digits() -> Digits:
    from sklearn.datasets import load_digits

    found = load_digits()
    x = (found.images[:, None] / 16).astype(np.float32)
    y = found.target.astype(np.int64)
    return Digits(DataSet.of(x[:1_297], y[:1_297]), DataSet.of(x[1_297:], y[1_297:]))


def untrained(*, channels=24, seed=0):
    import torch
    from torch import nn

    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.1),
        nn.Flatten(),
        nn.Linear(2 * channels * 16, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def learn(network, rows: DataSet, *, epochs=3, checkpoint=None, say=lambda _share, _doing: None, key=None):
    import torch

    x, y = torch.from_numpy(rows.x), torch.from_numpy(rows.y)
    task = TrainingTask(
        x=x, loss=lambda scores, kept: torch.nn.functional.cross_entropy(scores, y[kept]), key=key or {}
    )
    settings = TrainingSettings(epochs=epochs, learning_rate=3e-3)
    return fit(network, task, settings=settings, checkpoint=checkpoint, on_progress=say)


def accuracy(network, rows: DataSet) -> float:
    import torch

    with torch.no_grad():
        return float((network.eval()(torch.from_numpy(rows.x)).argmax(dim=1).numpy() == rows.y).mean())


@pytest.fixture(scope="session")
def trained(digits):
    network = untrained()
    learn(network, digits.train)
    assert accuracy(network, digits.test) > 0.9
    return network


@pytest.fixture(scope="session")
def model(trained, digits, tmp_path_factory):
    """The network as an ONNX file."""
    path = tmp_path_factory.mktemp("model") / "digits.onnx"
    export(trained, path, example=digits.train.x[:1])
    return path


@pytest.fixture(scope="session")
def files(digits, tmp_path_factory):
    """The rows to learn from and to test on, as files."""
    folder = tmp_path_factory.mktemp("rows")
    for name in ("train", "test"):
        rows = getattr(digits, name)
        np.savez(folder / f"{name}.npz", x=rows.x, y=rows.y)
    return folder
