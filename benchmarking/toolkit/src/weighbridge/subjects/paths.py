"""Paths of files in a folder: relative, in POSIX form, and the same on every system."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.formats import is_pickle_name

LONGEST_PATH = 1_000
MOST_FILES = 100_000
# Control characters, line separators, marks that turn the direction of writing, and the separator of Windows.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\\]")


def check_path(path: str, *, field: str) -> None:
    """Raise Invalid unless the path is relative, leads nowhere else, has printable names, and is not of a pickle."""
    names = path.split("/")
    if not is_storable(path) or _FORBIDDEN.search(path) or len(path) > LONGEST_PATH:
        text = (
            f"The path {path[:80]!r} has a control character or a backslash, or more than {LONGEST_PATH:,} characters; "
            "rename the file."
        )
        raise Invalid(text, code="path_form", field=field)
    if any(name in ("", ".", "..") for name in names):
        text = f"The path {path!r} must be relative to its folder, without empty parts, . and .. in it."
        raise Invalid(text, code="path_form", field=field)
    if is_pickle_name(path):
        text = (
            f"{path} has the suffix of a pickle, and loading a pickle runs the code inside it. Save the weights as "
            "safetensors, and remove or ignore the pickle."
        )
        raise Invalid(text, code="unsafe_artifact", field=field)


def check_apart(paths: Iterable[str], *, field: str) -> None:
    """Raise Invalid for a path that occurs twice, is a folder of another, or differs from another only by case."""
    known: dict[str, tuple[str, bool]] = {}
    for path in paths:
        names = path.split("/")
        for count in range(1, len(names) + 1):
            place = ("/".join(names[:count]), count == len(names))
            other = known.setdefault(_folded(place[0]), place)
            if other[0] != place[0]:
                text = f"{place[0]} and {other[0]} differ only by case or by the form of a letter; rename one of them."
                raise Invalid(text, code="path_case", field=field)
            is_new = other is place
            if not is_new and (place[1] or other[1]):
                raise Invalid(f"{path} occurs twice, or is a file and a folder.", code="path_twice", field=field)


def check_count(count: int, *, field: str) -> None:
    """Raise Invalid for more files than a manifest may have."""
    if count > MOST_FILES:
        raise Invalid(f"There are more than {MOST_FILES:,} files; file a part of the folder.", field=field)


def order(path: str) -> tuple[str, ...]:
    """Return what paths are sorted by: their parts, as `PurePosixPath` compares them and OpenSSF model signing does."""
    return PurePosixPath(path).parts


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
