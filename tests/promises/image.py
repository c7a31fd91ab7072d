"""Carry out docker/Dockerfile without a container engine: as root, in a folder that becomes the root of the image.

    python -m tests.promises.image FOLDER [--python PREFIX] [--bind FOLDER]

The base image is replaced by Debian (mmdebstrap) and a Python that is copied from PREFIX; everything after FROM is
carried out word for word. Then each process of the entry point can be started with chroot.
"""

import argparse
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "ca-certificates,libssl3t64,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,zlib1g,libreadline8t64,libncursesw6,libuuid1"
)
PIP = '#!/bin/sh\nexec /usr/local/bin/python3.11 -m pip "$@"\n'
FROM_HERE = ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt", "etc/xdg/pip")


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of every line of the Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n", " ", (ROOT / "docker" / "Dockerfile").read_text())
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


class Image:
    """The root of the image, and what the instructions so far have set."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder, self.user = root, "/", "root"
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        # How this machine reaches its package index.
        self.building = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT"))}

    def run(self, command: list[str], *, building: bool = False) -> int:
        """Run a command inside, as the user of the image."""
        environment = self.environment | (self.building if building else {})
        named = [f"{name}={value}" for name, value in environment.items()]
        inside = ["chroot", f"--userspec={self.user}", str(self.root), "/usr/bin/env", "-i", f"--chdir={self.folder}"]
        return subprocess.run([*inside, *named, *command], check=False).returncode

    def obey(self, word: str, rest: str) -> None:
        """Carry out one instruction."""
        if word == "RUN":
            if self.run(["/bin/sh", "-c", rest], building=True):
                raise SystemExit(f"RUN {rest} failed.")
        elif word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                inside = posixpath.join(self.folder, target).lstrip("/")  # a target may be absolute
                _copy(ROOT / source, self.root / inside, into=target.endswith("/"))
        elif word == "WORKDIR":
            self.folder = rest
            (self.root / rest.strip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            self.environment |= dict(part.split("=", 1) for part in rest.split())
        elif word == "USER":
            self.user = rest
        elif word not in {"VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}:
            raise SystemExit(f"{word} is not known here.")


def _copy(source: Path, target: Path, *, into: bool) -> None:
    target = target / source.name if into else target
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=ignored)
    else:
        shutil.copy(source, target)


def make_base(root: Path, *, python: Path) -> None:
    """Debian trixie with a Python 3.11 under /usr/local, in the place of the base image."""
    subprocess.run(["mmdebstrap", "--variant=minbase", f"--include={LIBRARIES}", "trixie", str(root)], check=True)
    for part in ("bin", "lib", "include"):
        ignored = shutil.ignore_patterns("test", "__pycache__", "site-packages")
        shutil.copytree(python / part, root / "usr/local" / part, symlinks=True, dirs_exist_ok=True, ignore=ignored)
    for name in FROM_HERE:
        if (Path("/") / name).exists():
            _copy(Path("/") / name, root / name, into=False)
    for name in ("pip", "pip3"):
        (root / "usr/local/bin" / name).unlink(missing_ok=True)
    packages = root / "usr/local/lib/python3.11/site-packages"
    packages.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", packages, "pip", "setuptools", "wheel"],
        check=True,
    )
    for name in ("pip", "python"):
        (root / "usr/local/bin" / name).unlink(missing_ok=True)
    (root / "usr/local/bin/pip").write_text(PIP)
    (root / "usr/local/bin/pip").chmod(0o755)
    (root / "usr/local/bin/python").symlink_to("python3.11")


def main() -> None:
    """Build the root, and write what a process needs (user, folder, environment) to FOLDER.json."""
    parser = argparse.ArgumentParser(description="Carry out docker/Dockerfile without a container engine.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, default=Path(sys.base_prefix))
    parser.add_argument("--bind", type=Path, action="append", default=[], help="a folder of wheels that pip looks into")
    given = parser.parse_args()
    root = given.folder.resolve()
    if not root.exists():
        make_base(root, python=given.python)
    image = Image(root)
    mounted = [root / path.relative_to("/") for path in given.bind]
    for path, target in zip(given.bind, mounted, strict=True):
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", "-o", "ro", str(path), str(target)], check=True)
    try:
        for word, rest in instructions()[1:]:
            print(f"{word} {rest}"[:150], flush=True)
            image.obey(word, rest)
    finally:
        for target in mounted:
            subprocess.run(["umount", str(target)], check=True)
    made = {"user": image.user, "folder": image.folder, "environment": image.environment}
    root.with_suffix(".json").write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
