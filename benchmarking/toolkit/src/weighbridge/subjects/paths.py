"""Paths of files in a folder: relative, in POSIX form, and the same on every system."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.formats import is_pickle_name

LONGEST_PATH = 1_000
DEEPEST = 50
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
    if len(names) > DEEPEST:
        raise Invalid(f"{path[:80]} is nested deeper than {DEEPEST} folders.", code="folder_depth", field=field)
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
    """Raise Invalid for a path that occurs twice, is a folder of another, or differs from another only by case.

    Raises Invalid for more folders than files are allowed, too.
    """
    known: dict[tuple[int, str], _Place] = {}
    for path in paths:
        names, folder = path.split("/"), 0
        for count, name in enumerate(names, 1):
            place = _Place(len(known) + 1, name, count == len(names))
            other = known.setdefault((folder, _folded(name)), place)
            if other.name != name:
                text = f"{'/'.join(names[:count])} differs from another path only by case or by the form of a letter."
                raise Invalid(f"{text} Rename one of them.", code="path_case", field=field)
            if other is not place and (place.is_file or other.is_file):
                raise Invalid(f"{path} occurs twice, or is a file and a folder.", code="path_twice", field=field)
            folder = other.number
        if len(known) > 2 * MOST_FILES:
            raise Invalid(f"There are more than {2 * MOST_FILES:,} files and folders.", field=field)


class _Place(NamedTuple):
    """A file or a folder of a tree, with a number of its own."""

    number: int
    name: str
    is_file: bool


def check_count(count: int, *, field: str) -> None:
    """Raise Invalid for more files than a manifest may have."""
    if count > MOST_FILES:
        raise Invalid(f"There are more than {MOST_FILES:,} files; file a part of the folder.", field=field)


def order(path: str) -> tuple[str, ...]:
    """Return what paths are sorted by: their parts, as `PurePosixPath` compares them and OpenSSF model signing does."""
    return tuple(path.split("/"))


@lru_cache(maxsize=10_000)
def _folded(name: str) -> str:
    """Return what names have in common that a system may take for one."""
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    )
