"""A cache of finished steps: the result is stored in a file with a key of all inputs, and is not computed again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import digest_of


def cached(path: Path, inputs: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of `make`, or the stored result for the same inputs."""
    key = digest_of(dict(inputs))
    stored = _read(path)
    if stored.get("key") == key:
        result: dict[str, Any] = stored["found"]
        return result
    made = make()
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "found": made}, indent=1) + "\n")
    part.replace(path)
    return made


def _read(path: Path) -> dict[str, Any]:
    """The stored document, or {} if it is missing or unreadable."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
