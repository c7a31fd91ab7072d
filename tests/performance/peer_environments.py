"""Peers that bring a gigabyte of libraries: each in an environment of its own, outside the project's.

`python -m tests.performance.peer_environments` makes them all beforehand; the benchmark makes what is missing.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config.env import var_folder

FREE_BYTES, INSTALL_S = 4_000_000_000, 1_800


class Absent(Exception):  # noqa: N818 -- a reason, not a malfunction
    """A peer cannot be had here; the text says why."""


@dataclass(frozen=True)
class Peer:
    """A package of the index and its version; a program or a library."""

    package: str
    version: str

    @property
    def folder(self) -> Path:
        return var_folder() / "peers" / f"{self.package}-{self.version}"

    @property
    def program(self) -> Path:
        return self.folder / "bin" / self.package

    @property
    def library(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))


GUIDELLM, AIPERF, PARETOSET = Peer("guidellm", "0.8.1"), Peer("aiperf", "0.13.0"), Peer("paretoset", "1.2.5")


def program_of(peer: Peer) -> Path:
    """Return the program of a peer, installed once; raise Absent with the reason where that is not possible."""
    _install(peer)
    if not peer.program.is_file():
        raise Absent(f"{peer.package} {peer.version} installs no program of its name.")
    return peer.program


def library_of(peer: Peer) -> Path:
    """Return the folder of the packages of a peer, installed once; raise Absent where that is not possible."""
    _install(peer)
    return peer.library


def _install(peer: Peer) -> None:
    stamp = peer.folder / ".installed"
    if stamp.exists():
        return
    shutil.rmtree(peer.folder, ignore_errors=True)
    peer.folder.mkdir(parents=True)
    if (free := shutil.disk_usage(peer.folder).free) < FREE_BYTES:
        raise Absent(f"{peer.package} needs {FREE_BYTES / 1e9:.0f} GB of free disk; there are {free / 1e9:.1f}.")
    steps = (
        [sys.executable, "-m", "venv", str(peer.folder)],
        [str(peer.folder / "bin/python"), "-m", "pip", "install", "--quiet", f"{peer.package}=={peer.version}"],
    )
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, check=False, timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            raise Absent(f"{peer.package} was not installed within {INSTALL_S // 60} minutes.") from None
        if done.returncode:
            last = done.stderr.strip().rpartition("\n")[2][-300:]
            raise Absent(f"{peer.package} {peer.version} could not be installed: {last}")
    stamp.touch()


def main() -> None:
    """Make all environments, and say for each whether it is there."""
    for peer in (GUIDELLM, AIPERF, PARETOSET):
        try:
            _install(peer)
            print(f"{peer.package} {peer.version}: {peer.folder}")
        except Absent as absent:
            print(f"{peer.package} {peer.version}: absent. {absent}")


if __name__ == "__main__":
    main()
