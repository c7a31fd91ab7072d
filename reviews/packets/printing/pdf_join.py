"""Join the parts of a packet to one PDF, in a child process of bounded memory that tells how far it came."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import CHILD_ENVIRONMENT, PROJECT

MEMORY_MAX_BYTES = 1024**3
FILE_MAX_BYTES = 1024**3
CPU_MAX_S = 1800
WALL_MAX_S = 3600.0
PAGES, DONE, NO = "pages", "done", "no"
"""How a line of the child begins."""


@dataclass(frozen=True, kw_only=True)
class PacketParts:
    """The files of a packet in order; `places` has the page of each part of the contents, from 0 in the sections.

    The last page of `front` has the marks of those parts, `#part-0` and so on, and is left out. Each page of `leaves`
    has the header and footer of a page of the sections.
    """

    front: Path
    leaves: Sequence[Path]
    sections: Sequence[Path]
    places: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class PageJoiner:
    """Joins in one child, within `wall_max_s` seconds and `memory_max_bytes` of address space."""

    wall_max_s: float = WALL_MAX_S
    memory_max_bytes: int = MEMORY_MAX_BYTES

    def join(self, parts: PacketParts, out: Path, *, on_joined: Callable[[int], None]) -> None:
        """Write the PDF to `out`; `on_joined` gets the pages of sections that are in it. Raises PrintFailed."""
        with subprocess.Popen(
            [sys.executable, "-m", "reviews.packets.printing.pdf_joined"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT,
            env=CHILD_ENVIRONMENT,
            text=True,
        ) as child:
            late = threading.Timer(self.wall_max_s, child.kill)
            late.start()
            try:
                last = _followed(child, self._job(parts, out), on_joined)
            finally:
                late.cancel()
                child.kill()
        if last != DONE:
            why = last or "it ended early, most likely because of its memory or time"
            raise PrintFailed(f"The pages of the packet were not joined: {why}. Try again.")

    def _job(self, parts: PacketParts, out: Path) -> str:
        limits = {"memory_max_bytes": self.memory_max_bytes, "file_max_bytes": FILE_MAX_BYTES, "cpu_max_s": CPU_MAX_S}
        files = {"front": str(parts.front), "out": str(out)}
        lists = {"leaves": [str(each) for each in parts.leaves], "sections": [str(each) for each in parts.sections]}
        return json.dumps({"limits": limits, **files, **lists, "places": list(parts.places)})


def _followed(child: subprocess.Popen[str], job: str, on_joined: Callable[[int], None]) -> str:
    """What the child says last: that it is done, or why not; nothing if it ended without a word."""
    assert child.stdin is not None  # noqa: S101 -- opened as a pipe
    assert child.stdout is not None  # noqa: S101 -- the same
    with suppress(OSError):  # the child ended; its silence says so
        child.stdin.write(job + "\n")
        child.stdin.close()
    last = ""
    for line in child.stdout:
        word, _, rest = line.strip().partition(" ")
        if word == PAGES:
            on_joined(int(rest))
        else:
            last = rest if word == NO else word
    return last
