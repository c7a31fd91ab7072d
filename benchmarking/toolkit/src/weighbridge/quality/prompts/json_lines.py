"""Files with one JSON object a line, read line by line within limits."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import DocumentLimits

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LineLimits:
    """How many bytes a file, how many lines, and how many bytes a line may have."""

    bytes_max: int = 512_000_000
    lines_max: int = 1_000_000
    line: DocumentLimits = DocumentLimits(bytes_max=4_000_000, depth_max=50, values_max=200_000)  # noqa: RUF009 -- frozen


def read_lines(
    path: Path, read: Callable[[Reader], T], *, field: str, limits: LineLimits, is_cleaning: bool = False
) -> tuple[tuple[T, ...], str]:
    """Return what `read` makes of the object in each line, and the digest of the file (`sha256:<hex>`).

    Empty lines do not count. `field` names the file in errors. `is_cleaning` replaces characters that cannot be stored
    instead of refusing them. Raises Invalid for an unreadable or empty file, for a line that is no object, and for keys
    that `read` did not read; TooLarge above the limits.
    """
    content, values = hashlib.sha256(), []
    try:
        with path.open("rb") as stream:
            total = 0
            for number, line in enumerate(iter(lambda: stream.readline(limits.line.bytes_max + 2), b""), 1):
                content.update(line)
                total += len(line)
                if total > limits.bytes_max or number > limits.lines_max:
                    raise _too_large(path, limits, field)
                if line.strip():
                    values.append(_value(line, f"{path.name} line {number}", read, limits, is_cleaning=is_cleaning))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", field=field) from error
    if not values:
        raise Invalid(f"{path.name} has no lines; write one JSON object a line.", field=field)
    return tuple(values), DIGEST_PREFIX + content.hexdigest()


def _value(line: bytes, name: str, read: Callable[[Reader], T], limits: LineLimits, *, is_cleaning: bool) -> T:
    reader = Reader(
        parse_object(line.rstrip(b"\r\n"), name=name, limits=limits.line, is_cleaning=is_cleaning), path=name
    )
    value = read(reader)
    reader.close()
    return value


def _too_large(path: Path, limits: LineLimits, field: str) -> TooLarge:
    text = f"{path.name} has more than {limits.lines_max:,} lines or {limits.bytes_max:,} bytes; split it."
    return TooLarge(text, field=field)


def text_of(reader: Reader, key: str, *, chars_max: int, default: str | None = "") -> str:
    """Return a text as written, not stripped; None as the default requires one. Raises Invalid for other values."""
    if not reader.asks(key):
        if default is None:
            raise reader.fault(key, "is missing.")
        return default
    value: Any = reader.plain(key)
    if not isinstance(value, str):
        raise reader.fault(key, "must be text.")
    if len(value) > chars_max:
        raise reader.fault(key, f"has more than {chars_max:,} characters.")
    return value
