"""Keeping: what a finished step found lies in a file under the key of all that decides it, and is not done again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import digest_of


def kept(path: Path, decides: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `make` gives, from the file where the same was made before."""
    key = digest_of(dict(decides))
    known = _read(path)
    if known.get("key") == key:
        found: dict[str, Any] = known["found"]
        return found
    made = make()
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "found": made}, indent=1) + "\n")
    part.replace(path)
    return made


def _read(path: Path) -> dict[str, Any]:
    """Return what was written down, nothing where it was not, or cannot be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
