"""`python -m config.reference [--check]`: write the generated pages, or name the stale ones and exit 1."""

import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from config import env
from config.reference.pages import PAGES

FOLDER = env.ROOT / "docs" / "reference"


def write(folder: Path, pages: Mapping[str, Callable[[], str]]) -> None:
    """Write every page."""
    for name, make in pages.items():
        (folder / name).write_text(make(), encoding="utf-8")


def stale(folder: Path, pages: Mapping[str, Callable[[], str]]) -> list[str]:
    """A diff for each page that differs from the generated text."""
    diffs = []
    for name, make in pages.items():
        path = folder / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old != (new := make()):
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), f"{name} as committed", "generated from the code", n=1, lineterm=""
            )
            diffs.append("\n".join(list(lines)[:40]))
    return diffs


def main(arguments: list[str]) -> int:
    """Exit code: 0 written or current, 1 stale, 2 wrong usage."""
    if arguments == []:
        write(FOLDER, PAGES)
        return 0
    if arguments != ["--check"]:
        sys.stderr.write("usage: python -m config.reference [--check]\n")
        return 2
    if diffs := stale(FOLDER, PAGES):
        sys.stderr.write("\n\n".join(diffs) + "\n\nThese pages are stale; run `make docs` and commit them.\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
