"""A shell that types what a page shows, in a folder of the test, and tells how each line ended."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.contracts.shown import ROOT

PATIENCE_S = 300
# `$?` stays that of the line, as a person would see it.
TOLD = "{line}\nended=$?; echo $ended >&3; (exit $ended)\n"


@dataclasses.dataclass(frozen=True)
class Typed:
    """What was typed, how each line ended, and all that was printed."""

    lines: tuple[str, ...]
    codes: tuple[int, ...]
    said: str

    def told(self) -> str:
        """Each line with its exit status, and what was printed, for a person."""
        ended = (f"{code} | {line}" for line, code in zip(self.lines, self.codes, strict=False))
        return "\n".join([*ended, self.said[-6000:]])


def type_in(lines: Iterable[str], folder: Path, **environment: str) -> Typed:
    """Type the lines into one shell, whose `weighbridge`, `python` and `manage.py` are this project's."""
    given = tuple(lines)
    codes = folder / ".codes"
    _install(folder)
    script = f"exec 3>{codes}\n" + "".join(TOLD.format(line=line) for line in given)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=_environment(folder) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Typed(given, tuple(int(code) for code in codes.read_text().split()), done.stdout)


def _install(folder: Path) -> None:
    """Lay the program and Django's command line where the pages expect them."""
    (folder / ".bin").mkdir(exist_ok=True)
    program = folder / ".bin" / "weighbridge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m weighbridge "$@"\n')
    program.chmod(0o755)
    if not (folder / "manage.py").exists():
        (folder / "manage.py").symlink_to(ROOT / "manage.py")


def _environment(folder: Path) -> Mapping[str, str]:
    path = os.pathsep.join([str(folder / ".bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    sources = os.pathsep.join([str(ROOT), str(ROOT / "benchmarking/toolkit/src")])  # of this checkout
    return {"PATH": path, "HOME": str(folder), "PYTHONPATH": sources, "ORT_DISABLE_TELEMETRY": "1"}
