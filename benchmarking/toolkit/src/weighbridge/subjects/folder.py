"""The manifest of a folder on this machine, and what of a folder differs from a manifest.

Files are read in pieces, without following any link. As in OpenSSF model signing, links are refused, empty folders do
not count, files whose names start with a dot do, and the paths of Git at the top are ignored.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import Invalid
from weighbridge.subjects.manifest import MANIFEST, Entry, entries_of, subject_of
from weighbridge.subjects.paths import DEEPEST, check_apart, check_count, check_path
from weighbridge.subjects.subject import Subject, usable_name

IGNORED = (".git", ".gitattributes", ".github", ".gitignore")
"""The paths that model signing ignores unless it is told otherwise."""
_PIECE_BYTES = 1_000_000
# A safetensors file may start like a pickle, because its first eight bytes are the length of its header.
_PICKLE = re.compile(rb"\x80[\x02-\x05](?!.{6}\{)|PK\x03\x04.{26}[^\x00]{0,200}data\.pkl", re.DOTALL)


class Change(StrEnum):
    """How a file of a folder differs from its manifest."""

    MISSING = "missing"
    ADDED = "added"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """A file that differs from the manifest."""

    path: str
    change: Change


def manifest_of(folder: Path, ignore: Sequence[str] = IGNORED) -> Subject:
    """Return the manifest of a folder, without the paths `ignore`, which are relative to it, and all below them.

    Raises Invalid for links, devices and pipes, names that other systems cannot hold, pickles, folders nested too
    deeply, and more than 100,000 files.
    """
    paths = _paths(folder, ignore)
    return subject_of((_entry(folder, path) for path in paths), name=usable_name(folder.resolve().name), field="folder")


def verify(manifest: Subject, folder: Path, ignore: Sequence[str] = IGNORED) -> list[Difference]:
    """Return the differences of a folder from a manifest, by path; none if it holds the same files.

    Raises Invalid for a subject of another kind, and whatever `manifest_of` refuses.
    """
    if manifest.kind != MANIFEST.kind:
        raise Invalid(f"The document is a {manifest.kind}; a folder is compared with a manifest.", field="verify")
    expected = {entry.path: entry.digest for entry in entries_of(manifest.document)}
    found = set(_paths(folder, ignore))
    changes = dict.fromkeys(expected.keys() - found, Change.MISSING)
    changes |= dict.fromkeys(found - expected.keys(), Change.ADDED)
    both = found & expected.keys()
    changes |= {path: Change.CHANGED for path in both if _entry(folder, path).digest != expected[path]}
    return [Difference(path, changes[path]) for path in sorted(changes)]


def _paths(folder: Path, ignore: Sequence[str]) -> list[str]:
    """Return the paths of all files, relative to the folder, each checked."""
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder}.", code="folder_missing", field="folder")
    ignored = frozenset(path.strip("/") for path in ignore)
    found = list[str]()
    for path in _walked(folder, "", ignored, depth=0):
        found.append(path)
        check_count(len(found), field="folder")
        check_path(path, field="folder")
    check_apart(found, field="folder")
    return found


def _walked(folder: Path, before: str, ignored: frozenset[str], *, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise Invalid(f"{before} is nested deeper than {DEEPEST} folders.", code="folder_depth", field="folder")
    try:
        with os.scandir(folder / before) as entries:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError as error:
        raise _unreadable(before or ".", error) from error
    for name, is_folder in sorted(names):
        path = f"{before}{name}"
        if path in ignored:
            continue
        if is_folder:
            yield from _walked(folder, f"{path}/", ignored, depth=depth + 1)
        else:
            yield path


def _entry(folder: Path, path: str) -> Entry:
    """Return the entry of a file, read in pieces; raise Invalid for a link, a pipe, a device, or a pickle inside."""
    try:
        # Follows no link and waits for no pipe.
        descriptor = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _special(path)
            digest, size = hashlib.sha256(), 0
            while piece := file.read(_PIECE_BYTES):
                if not size and _PICKLE.match(piece):
                    raise _pickled(path)
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        if (folder / path).is_symlink() or (folder / path).is_socket():
            raise _special(path) from error
        raise _unreadable(path, error) from error
    return Entry(path, f"{DIGEST_PREFIX}{digest.hexdigest()}", size)


def _special(path: str) -> Invalid:
    text = (
        f"{path} is a link, a pipe or a device, not a file; copy the folder with the files themselves (cp -rL), or "
        "ignore the path."
    )
    return Invalid(text, code="linked_artifact", field="folder")


def _pickled(path: str) -> Invalid:
    text = (
        f"{path} holds a pickle, and loading a pickle runs the code inside it. Save the weights as safetensors, and "
        "remove or ignore the pickle."
    )
    return Invalid(text, code="unsafe_artifact", field="folder")


def _unreadable(path: str, error: OSError) -> Invalid:
    return Invalid(f"{path} cannot be read: {error.strerror}.", code="unreadable_artifact", field="folder")
