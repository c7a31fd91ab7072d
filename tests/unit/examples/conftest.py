"""Small product images that a network can really learn, in the files that Fashion-MNIST comes in; and
random weights.
"""

import gzip
import hashlib

import numpy as np
import pytest

from examples.product_images import images, networks


def pictures(rows: int, seed: int):
    """Each class is a bright bar at a height of its own, in noise."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 10, rows)
    x = rng.integers(0, 60, (rows, 28, 28))
    for image, each in zip(x, classes, strict=True):
        image[2 * each + 4 : 2 * each + 7] += 180
    return x.astype(np.uint8), classes.astype(np.uint8)


@pytest.fixture(scope="session")
def pictures_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fashion")
    for part, rows, seed in (("train", 700, 1), ("t10k", 200, 2)):
        x, y = pictures(rows, seed)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0" * 16 + x.tobytes()))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0" * 8 + y.tobytes()))
    return folder


@pytest.fixture
def fashion(pictures_folder, monkeypatch):
    """The folder, with the hashes that its files must have."""
    hashes = {name: hashlib.sha256((pictures_folder / name).read_bytes()).hexdigest() for name in images.SHA256}
    monkeypatch.setattr(images, "SHA256", hashes)
    return pictures_folder


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory):
    import torch
    from torchvision.models import mobilenet_v2

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "weights" / networks.WEIGHTS_FILE
    path.parent.mkdir()
    torch.save(mobilenet_v2().state_dict(), path)
    return path


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small batches gain nothing from threads, and lose much where other tests run beside them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
