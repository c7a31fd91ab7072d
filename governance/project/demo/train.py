"""Training: a small convolutional classifier on 10,000 product images, exported to ONNX."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from governance.project.demo import images

TRAIN_IMAGES, EPOCHS, BATCH, SEED = 10_000, 4, 64, 20261124
Say = Callable[[str], None]


def train(var: Path, say: Say) -> tuple[Path, Path]:
    """Train, export, and write the 10,000 test images beside it; the paths of model and data."""
    import torch

    torch.manual_seed(SEED)
    found = images.folder(var)
    x, y = images.load(found, "train")
    inputs, labels = torch.from_numpy(x[:TRAIN_IMAGES]), torch.from_numpy(y[:TRAIN_IMAGES])
    network = _network()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    for epoch in range(1, EPOCHS + 1):
        began, total = time.monotonic(), 0.0
        for batch in torch.randperm(TRAIN_IMAGES).split(BATCH):  # type: ignore[no-untyped-call]
            loss = torch.nn.functional.cross_entropy(network(inputs[batch]), labels[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += float(loss.detach()) * len(batch)
        say(f"epoch {epoch} of {EPOCHS}: loss {total / TRAIN_IMAGES:.3f}, {time.monotonic() - began:.1f} s")
    target = var / "demo"
    model = export(network, target / "product-images.onnx")
    test_x, test_y = images.load(found, "t10k")
    data = target / "product-images-test.npz"
    np.savez(data, x=test_x, y=test_y)
    return model, data


def untrained(var: Path) -> Path:
    """The same network before training: another artifact, which nobody approved."""
    import torch

    torch.manual_seed(SEED + 1)
    return export(_network(), var / "demo" / "unapproved.onnx")


def _network() -> Any:
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(48 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10),
    )  # fmt: skip


def export(network: Any, path: Path) -> Path:
    """Write the network as ONNX with a free batch size."""
    import warnings

    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (torch.zeros(1, 1, 28, 28),), str(path), input_names=["image"], output_names=["scores"],
            dynamic_axes={"image": {0: "n"}, "scores": {0: "n"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
    return path
