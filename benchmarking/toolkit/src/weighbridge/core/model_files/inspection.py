"""What an uploaded model file really is, decided by its bytes and never by trusting its name.

Lets in ONNX and safetensors, which hold data only; refuses pickles, which run code when they are opened. The two
structures are read in `onnx_structure.py` and `safetensors_structure.py`.
"""

import errno
import mmap
import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import NoReturn

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.onnx_structure import check_onnx
from weighbridge.core.model_files.safetensors_structure import check_safetensors, is_safetensors

REMEDY = "Export the model to ONNX (torch.onnx.export) or save its weights as safetensors, and upload that."


class ArtifactFormat(StrEnum):
    """The formats that are let in."""

    ONNX = "onnx"
    SAFETENSORS = "safetensors"


@dataclass(frozen=True)
class ArtifactInfo:
    """What a file was found to be."""

    format: ArtifactFormat
    size_bytes: int


_PICKLED_SUFFIXES = frozenset({".pt", ".pth", ".pt2", ".ckpt", ".pkl", ".pickle", ".joblib"})
_FOREIGN = (
    (b"PK", "a zip archive, as torch.save and torch.export write it, with a pickle inside"),
    (b"\x80", "a Python pickle"),
    (b"\x1f\x8b", "a gzip-compressed file"),
    (b"\x78", "a zlib-compressed file, as joblib writes it, with a pickle inside"),
    (b"BZh", "a bzip2-compressed file"),
    (b"\xfd7zXZ", "an xz-compressed file"),
    (b"\x93NUMPY", "a NumPy file, which may hold pickles"),
    (b"\x89HDF", "an HDF5 file"),
    (b"GGUF", "a GGUF file"),
)


def inspect(path: Path, *, name: str) -> ArtifactInfo:
    """The format and size in bytes of the file at `path`, which was uploaded as `name`.

    Raises Invalid with the reason and the remedy for everything that is neither sound ONNX nor sound safetensors.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in _PICKLED_SUFFIXES:
        _refuse(f"{name} is named like a pickle ({suffix}), and opening a pickle runs whatever code it carries.")
    try:
        # Neither follows a link nor waits for a pipe; private, since a fenced process may not share a file's memory.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
            size_bytes = _check_alone(os.fstat(descriptor), name=name)
            with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as content:
                return ArtifactInfo(_format(content, name=name), size_bytes)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            raise _linked(name) from error
        raise Invalid(f"{name} cannot be read; upload it again.", code="unreadable_artifact", field="file") from error


def _check_alone(status: os.stat_result, *, name: str) -> int:
    """Return the size in bytes; raise Invalid for what is no file, has other names, or is empty.

    A file with two names may be one that somebody else keeps secret, put where it will be read.
    """
    if not stat.S_ISREG(status.st_mode):
        raise Invalid(f"{name} is no file; upload the model file itself.", code="unreadable_artifact", field="file")
    if status.st_nlink > 1:
        raise _linked(name)
    if status.st_size == 0:
        raise Invalid(f"{name} is empty; upload the model file again.", code="empty_artifact", field="file")
    return status.st_size


def _linked(name: str) -> Invalid:
    text = f"{name} is a link to another file, or has a second name; copy it (cp) and give the copy."
    return Invalid(text, code="linked_artifact", field="file")


def _format(content: mmap.mmap, *, name: str) -> ArtifactFormat:
    with memoryview(content) as view:
        # First, since its length stands in its first bytes, and may be the mark of anything.
        if is_safetensors(view):
            check_safetensors(view, name=name)
            return ArtifactFormat.SAFETENSORS
        for magic, words in _FOREIGN:
            if view[: len(magic)] == magic:
                _refuse(
                    f"{name} is {words}. Only formats that hold nothing but data are let in, since opening others may "
                    "run code."
                )
        check_onnx(view, name=name)
        return ArtifactFormat.ONNX


def _refuse(reason: str) -> NoReturn:
    raise Invalid(f"{reason} {REMEDY}", code="unsafe_artifact", field="file")
