"""Join the parts of a packet to one PDF: the child process of `pdf_join`, which limits its memory and time first.

One part is in memory at a time, and the PDF is written as it grows.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from reviews.packets.printing.pdf import limit
from reviews.packets.printing.pdf_file import PdfFile
from reviews.packets.printing.pdf_front import add_front
from reviews.packets.printing.pdf_join import DONE, NO, PAGES, PacketParts
from reviews.packets.printing.pdf_pages import add_section, begun, leaves_of, opened


def join(parts: PacketParts, out: BinaryIO, *, on_joined: Callable[[int], None]) -> None:
    """Write the PDF to `out`, always the same bytes. After each section, `on_joined` gets the pages of sections."""
    front, file = opened(parts.front), PdfFile(out)
    grown = begun(file, front_count=len(front.pages) - 1)
    leaves = leaves_of(parts.leaves, file)
    for section in parts.sections:
        add_section(grown, opened(section), leaves)
        on_joined(len(grown.pages))
    add_front(grown, front, places=parts.places)


def main() -> int:
    """One JSON job on stdin; on stdout a line `pages NUMBER` after each section, then `done` or `no REASON`."""
    job = json.load(sys.stdin)
    limit(**job["limits"])
    parts = PacketParts(
        front=Path(job["front"]),
        leaves=[Path(file) for file in job["leaves"]],
        sections=[Path(file) for file in job["sections"]],
        places=job["places"],
    )
    try:
        with Path(job["out"]).open("wb") as out:
            join(parts, out, on_joined=lambda pages: _tell(f"{PAGES} {pages}"))
    except Exception as failure:  # noqa: BLE001 -- the parent tells a person, whatever it is
        _tell(f"{NO} {type(failure).__name__}: {failure}")
        return 1
    _tell(DONE)
    return 0


def _tell(line: str) -> None:
    sys.stdout.write(" ".join(line.split()) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
