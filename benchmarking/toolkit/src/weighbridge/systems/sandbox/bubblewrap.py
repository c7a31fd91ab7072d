"""Layers: which walls stand between a measured model and this machine, and how bubblewrap is told to build one.

The first layer is always there. Bubblewrap is added where it is installed and may work, Landlock and the kernel call
filter where the kernel has them; see `docs/explanation/hostile-models.md` for what each is good for.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import weighbridge
from weighbridge.systems.sandbox.seals import SEALS

BUBBLEWRAP = "bubblewrap without network"
OPEN = "none, a process of its own outside every fence"
ALWAYS = ("own process group", "empty environment", "rlimits", "wall clock")
HOME = "/work"  # of a child behind bubblewrap; nothing can be written there either
PROBE_PATIENCE_S = 20
# What folders of installed Python libraries are called.
INSTALLED = frozenset({"site-packages", "dist-packages"})
# Where systems keep their libraries; Nix and Guix have one place for everything.
LIBRARIES = ("/usr", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
# What measuring reads of the kernel, besides the process's own folder: clocks, load, processors, memory.
KERNEL = (
    "/proc/self",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/pressure",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layers:
    """What is laid around a child: the path of bubblewrap, or None, and the seals it lays on itself.

    `is_open` is a child without any fence, limits included: for code that the person at the terminal vouches for.
    """

    bubblewrap: str | None
    seals: tuple[str, ...] = SEALS
    is_open: bool = False

    def words(self, held: Sequence[str]) -> str:
        """Say in words what fences a child in, of which it told that the seals `held` hold."""
        if self.is_open:
            return OPEN
        return ", ".join(
            [*([BUBBLEWRAP] if self.bubblewrap else []), *(each for each in self.seals if each in held), *ALWAYS]
        )


def is_walled(words: object) -> bool:
    """Whether what `Layers.words` said tells of bubblewrap, the one layer that an installation may lack."""
    return BUBBLEWRAP in str(words or "")


def no_layers() -> Layers:
    """Return what is laid around code that needs no fence: nothing."""
    return Layers(bubblewrap=None, seals=(), is_open=True)


def layers_here() -> Layers:
    """Return the strongest layers that work on this machine; whether bubblewrap does is tried once in each process."""
    return Layers(bubblewrap=_working(shutil.which("bwrap")))


@cache
def _working(program: str | None) -> str | None:
    """Return the program if it can fence in our own interpreter: containers and some systems forbid it."""
    if program is None:
        return None
    child = [sys.executable, "-P", "-c", "import weighbridge.systems.sandbox.child"]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(root()), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        tried = subprocess.run(  # noqa: S603 -- the system's bubblewrap and our own interpreter, no shell
            [*walled(program, reads=[]), *child],
            env=environment,
            timeout=PROBE_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return program if tried.returncode == 0 else None


def root() -> Path:
    """Return the folder that holds our packages."""
    return Path(weighbridge.__file__).resolve().parent.parent


def runtime() -> list[Path]:
    """Return what a child must read to run: Python, its libraries and the toolkit."""
    # Libraries may lie outside of Python's own folder, as after `pip install --user`.
    installed = [Path(entry) for entry in sys.path if Path(entry).name in INSTALLED]
    ours = [*installed, Path(weighbridge.__file__).resolve().parent]
    found: list[Path] = []
    for path in (*map(Path, (*LIBRARIES, sys.base_prefix, sys.prefix)), *ours):
        if path.exists() and not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found


def walled(program: str, *, reads: Sequence[Path]) -> list[str]:
    """Return the command that runs what is appended to it behind bubblewrap, with `reads` at their own paths.

    Every namespace is new, nothing can be written anywhere, and all that runs inside ends with the command.
    """
    command = [program, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "fence"]
    for path in runtime():
        # On most systems /lib is a link into /usr, and must stay one, for the loader's own path to fit.
        is_link = path.is_symlink() and str(path) in LIBRARIES
        command += ["--symlink", str(path.readlink()), str(path)] if is_link else ["--ro-bind", str(path), str(path)]
    command += ["--proc", "/proc", "--dev", "/dev", "--ro-bind-try", "/sys/devices/system", "/sys/devices/system"]
    for path in reads:
        command += ["--ro-bind-try", str(path), str(path)]
    return [*command, "--dir", HOME, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]
