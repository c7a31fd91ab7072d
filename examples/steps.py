"""Long work in steps: each has its part of the progress, and stored results are not computed again."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.api.documents import write_json
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid

Say = Callable[[float, str], None]
Clock = Callable[[], datetime]


def part(say: Say, start: float, end: float, *, name: str = "") -> Say:
    """A progress callback that maps 0 to 1 to the range between two shares, and says the name of the part."""
    prefix = f"{name}: " if name else ""
    return lambda share, doing: say(start + share * (end - start), f"{prefix}{doing}")


def nth_part(say: Say, index: int, count: int) -> Say:
    """A progress callback for one of `count` equal parts."""
    return part(say, index / count, (index + 1) / count)


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Create the folder. Raises Invalid if that, or writing in the block, is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise Invalid(f"The folder {folder} is not writable: {error.strerror}.", code="folder", field="out") from error


def cached(path: Path, inputs: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of `make`, or the stored result for the same inputs."""
    key = digest_of(dict(inputs))
    stored = read_record(path)
    if stored.get("key") == key:
        result: dict[str, Any] = stored["found"]
        return result
    made = make()
    write_json(path, {"key": key, "found": made})
    return made


def read_record(path: Path) -> dict[str, Any]:
    """The stored document, or {} if it is missing or unreadable."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
