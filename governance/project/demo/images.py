"""The product images: Fashion-MNIST (MIT licence), installed, downloaded from Debian, or from a folder you name."""

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
SHA256 = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
IMAGE_HEADER_BYTES, LABEL_HEADER_BYTES = 16, 8
Images = NDArray[np.float32]
Labels = NDArray[np.int64]


def folder(var: Path) -> Path:
    """Where the four files lie, checked; SystemExit says how to get them where they cannot be had."""
    named = os.environ.get("FASHION_MNIST_DIR")
    unpacked = var / "demo" / "images" / "usr/share/datasets/fashion-mnist"
    for candidate in [Path(named)] if named else [INSTALLED, unpacked]:
        if all((candidate / name).exists() for name in SHA256):
            return _checked(candidate)
    if named:
        raise SystemExit(f"FASHION_MNIST_DIR={named} does not hold {', '.join(SHA256)}.")
    _download(var / "demo" / "images")
    return _checked(unpacked)


def _download(target: Path) -> None:
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    target.mkdir(parents=True, exist_ok=True)
    if apt and dpkg:
        command = [apt, "download", "-qq", PACKAGE]
        done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)  # noqa: S603 -- a fixed command
        for archive in target.glob(f"{PACKAGE}_*.deb"):
            subprocess.run([dpkg, "-x", str(archive), str(target)], check=True)  # noqa: S603 -- a fixed command
            archive.unlink()
            return
        why = done.stderr.strip().splitlines()[-1:] or ["apt-get gave no file"]
    else:
        why = ["this machine has no apt-get"]
    raise SystemExit(
        f"The product images are missing ({why[0]}). Either run `apt-get install {PACKAGE}`, or put its four .gz files "
        "(Fashion-MNIST, MIT licence) in a folder and set FASHION_MNIST_DIR to it."
    )


def _checked(found: Path) -> Path:
    for name, wanted in SHA256.items():
        if hashlib.sha256((found / name).read_bytes()).hexdigest() != wanted:
            raise SystemExit(f"{found / name} is damaged: its SHA-256 is not {wanted}. Remove it and try again.")
    return found


def load(found: Path, part: str) -> tuple[Images, Labels]:
    """Images (n, 1, 28, 28) scaled to 0..1 and labels (n,) of `train` or `t10k`."""
    pixels = gzip.decompress((found / f"{part}-images-idx3-ubyte.gz").read_bytes())[IMAGE_HEADER_BYTES:]
    marks = gzip.decompress((found / f"{part}-labels-idx1-ubyte.gz").read_bytes())[LABEL_HEADER_BYTES:]
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 1, 28, 28).astype(np.float32) / np.float32(255)
    return images, np.frombuffer(marks, np.uint8).astype(np.int64)
