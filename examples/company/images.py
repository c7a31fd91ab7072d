"""Find the product images: Fashion-MNIST (MIT license), installed, downloaded from Debian, or in a named folder."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from examples.product_images.images import INSTALLED, PACKAGE, SHA256


def folder(var: Path) -> Path:
    """The folder with the four verified files. Raises SystemExit with instructions if they are not available."""
    named = os.environ.get("FASHION_MNIST_DIR")
    unpacked = var / "demo" / "images" / "usr/share/datasets/fashion-mnist"
    for candidate in [Path(named)] if named else [INSTALLED, unpacked]:
        if all((candidate / name).exists() for name in SHA256):
            return _checked(candidate)
    if named:
        raise SystemExit(f"FASHION_MNIST_DIR={named} does not contain {', '.join(SHA256)}.")
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
        why = done.stderr.strip().splitlines()[-1:] or ["apt-get downloaded no file"]
    else:
        why = ["this machine has no apt-get"]
    raise SystemExit(
        f"The product images are missing ({why[0]}). Either run `apt-get install {PACKAGE}`, or put its four .gz files "
        "(Fashion-MNIST, MIT license) in a folder and set FASHION_MNIST_DIR to it."
    )


def _checked(found: Path) -> Path:
    for name, wanted in SHA256.items():
        if hashlib.sha256((found / name).read_bytes()).hexdigest() != wanted:
            raise SystemExit(f"{found / name} is damaged: its SHA-256 is not {wanted}. Remove it and try again.")
    return found
