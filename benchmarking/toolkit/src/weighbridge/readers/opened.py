"""A file or a folder to read: bounded, parsed once, with the digest of each file that was read."""

import functools
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_object, read_bytes
from weighbridge.core.parsing.limits import DocumentLimits
from weighbridge.readers.imported_result import ReadFile

LIMITS = DocumentLimits(bytes_max=64_000_000, values_max=2_000_000)
FILES_MAX = 10_000
"""Files of one folder. A folder of runs with more of them is read in parts."""


class Opened:
    """A file, read at once, or a folder, whose files are read when they are asked for."""

    def __init__(self, path: Path, *, name: str = "") -> None:
        """Read the file; raise Invalid if it cannot be read, TooLarge above 64 MB."""
        self.path, self.name = path, name or path.name
        self.is_folder = path.is_dir()
        if not self.is_folder and path.exists() and not path.is_file():
            raise Invalid(f"{path} is no regular file; give the file that the tool wrote.", field="file")
        self.content = b"" if self.is_folder else read_bytes(path, limits=LIMITS)

    @functools.cached_property
    def file(self) -> ReadFile:
        """The name and the digest of the file."""
        return ReadFile(self.name, DIGEST_PREFIX + hashlib.sha256(self.content).hexdigest())

    @functools.cached_property
    def document(self) -> Mapping[str, Any]:
        """The JSON object in the file, its fractions as Decimal; empty if the file does not begin like one.

        Raises Invalid for a file that begins like an object and is none, and for NaN and infinity.
        """
        if self.content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
            return {}
        return parse_object(self.content, name=self.name, field="file", limits=LIMITS, number=Decimal, is_cleaning=True)

    @functools.cached_property
    def text(self) -> str:
        """The text in the file; raise Invalid unless it is UTF-8."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(f"{self.name} is not text in UTF-8.", field="file") from error

    def has(self, name: str) -> bool:
        """Whether this is a folder with a file of that name; a link does not count."""
        inner = self.path / name
        return self.is_folder and inner.is_file() and not inner.is_symlink()

    def inner(self, name: str) -> "Opened":
        """Open a file or a folder in this folder."""
        return Opened(self.path / name, name=name)

    def names(self) -> list[str]:
        """Return the names in this folder in order, without links; raise Invalid for too many of them."""
        try:
            found = sorted(each.name for each in self.path.iterdir() if not each.is_symlink())
        except OSError as error:
            raise Invalid(f"{self.path} cannot be read: {error.strerror}.", field="file") from error
        if len(found) > FILES_MAX:
            raise Invalid(f"{self.path} has more than {FILES_MAX:,} files; give a folder inside it.", field="file")
        return found
