"""The layers of the sandbox around a measured model, and the bubblewrap command.

The first layer is always active. Bubblewrap is added if it is installed and works, Landlock and the kernel call filter
if the kernel supports them; `docs/explanation/hostile-models.md` describes the purpose of each.
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
HOME = "/work"  # of a child inside bubblewrap; it is not writable
PROBE_PATIENCE_S = 20
# Names of folders with installed Python libraries.
INSTALLED = frozenset({"site-packages", "dist-packages"})
# Library folders of operating systems; Nix and Guix use one store.
LIBRARIES = ("/usr", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
# Kernel files that a measurement reads: clocks, load, processors, memory.
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
    """The layers around a child: the path of bubblewrap, or None, and the seals that the child applies.

    `is_open` means no sandbox and no limits: for code that the user trusts.
    """

    bubblewrap: str | None
    seals: tuple[str, ...] = SEALS
    is_open: bool = False

    def describe(self, active: Sequence[str]) -> str:
        """Describe the layers around a child that reported the active seals `active`."""
        if self.is_open:
            return OPEN
        walls = [BUBBLEWRAP] if self.bubblewrap else []
        return ", ".join([*walls, *(seal for seal in self.seals if seal in active), *ALWAYS])


# For trusted code.
NO_LAYERS = Layers(bubblewrap=None, seals=(), is_open=True)


def uses_bubblewrap(description: object) -> bool:
    """Return whether a description from `Layers.describe` includes bubblewrap."""
    return BUBBLEWRAP in str(description or "")


def layers_here() -> Layers:
    """Return the strongest layers that work on this machine; bubblewrap is tested once per process."""
    return Layers(bubblewrap=_working(shutil.which("bwrap")))


@cache
def _working(program: str | None) -> str | None:
    """Return the program if it can run this interpreter; containers and some systems forbid it."""
    if program is None:
        return None
    child = [sys.executable, "-P", "-c", "import weighbridge.systems.sandbox.child"]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(package_root()), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        result = subprocess.run(  # noqa: S603 -- the system's bubblewrap and our own interpreter, no shell
            [*bubblewrap_command(program, reads=[]), *child],
            env=environment,
            timeout=PROBE_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return program if result.returncode == 0 else None


def package_root() -> Path:
    """Return the folder that contains the weighbridge package."""
    return Path(weighbridge.__file__).resolve().parent.parent


def runtime_paths() -> list[Path]:
    """Return the paths that a child needs to read: Python, its libraries and the toolkit."""
    # Libraries may be outside the Python installation, for example after `pip install --user`.
    installed = [Path(entry) for entry in sys.path if Path(entry).name in INSTALLED]
    ours = [*installed, Path(weighbridge.__file__).resolve().parent]
    paths: list[Path] = []
    for path in (*map(Path, (*LIBRARIES, sys.base_prefix, sys.prefix)), *ours):
        if path.exists() and not any(path.is_relative_to(other) for other in paths):
            paths.append(path)
    return paths


def bubblewrap_command(program: str, *, reads: Sequence[Path]) -> list[str]:
    """Return the bubblewrap command to prepend to a program, with `reads` mounted read-only at their own paths.

    All namespaces are new, nothing is writable, and everything inside ends with the command.
    """
    command = [program, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "fence"]
    for path in runtime_paths():
        # On most systems, /lib is a link to /usr/lib and must remain a link, so that the path of the loader is valid.
        is_link = path.is_symlink() and str(path) in LIBRARIES
        command += ["--symlink", str(path.readlink()), str(path)] if is_link else ["--ro-bind", str(path), str(path)]
    command += ["--proc", "/proc", "--dev", "/dev", "--ro-bind-try", "/sys/devices/system", "/sys/devices/system"]
    for path in reads:
        command += ["--ro-bind-try", str(path), str(path)]
    return [*command, "--dir", HOME, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]
