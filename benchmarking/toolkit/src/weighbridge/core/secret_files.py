"""Files that hold a secret: complete or absent, and the same for all processes that start at once."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def stored_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the content of a file; if it is missing or empty, create it with `make()`, readable by its owner only.

    The content is written beside the file and then linked: a killed process leaves no empty file, and the first of
    several processes wins.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and not path.read_text():
        path.unlink(missing_ok=True)
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as fresh:
            fresh.write(make())
            fresh.flush()
            os.fsync(fresh.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, path)
    return path.read_text()
