"""The images: Fashion-MNIST (MIT license), 60,000 to train on and 10,000 to test on, 28 by 28 gray, ten classes.

Nothing is downloaded: they come from Debian's package or from a folder that the person names, checked by their hashes.
"""

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.data_set import DataSet

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
SHA256 = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
IMAGE_HEADER_BYTES, LABEL_HEADER_BYTES = 16, 8
TRAIN, TEST = "train", "t10k"


def folder_of(named: Path | None) -> Path:
    """Return the folder with the four intact files: the named one, FASHION_MNIST_DIR, or Debian's; or raise Invalid."""
    variable = os.environ.get("FASHION_MNIST_DIR")
    folder = named or (Path(variable) if variable else INSTALLED)
    missing = [name for name in SHA256 if not (folder / name).is_file()]
    if missing:
        raise Invalid(
            f"The product images are missing: {folder} has no {missing[0]}. Run `apt-get install {PACKAGE}`, or put "
            "the "
            "four .gz files of Fashion-MNIST (MIT license) into a folder and name it with --data.",
            code="images_missing",
            field="data",
        )
    for name, wanted in SHA256.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted:
            text = f"{folder / name} is damaged: its SHA-256 is not {wanted}. Get the file again."
            raise Invalid(text, code="images_damaged", field="data")
    return folder


def load(folder: Path, part: str, *, most: int | None = None) -> DataSet:
    """Return the first `most` images of a part, shape (n, 1, 28, 28), float32 from 0 to 1, with their classes."""
    pixels = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())[IMAGE_HEADER_BYTES:]
    marks = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())[LABEL_HEADER_BYTES:]
    x = np.frombuffer(pixels, np.uint8).reshape(-1, 1, 28, 28)[:most].astype(np.float32) / np.float32(255)
    return DataSet.of(x, np.frombuffer(marks, np.uint8)[:most].astype(np.int64))
