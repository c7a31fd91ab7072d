"""Inspection of uploaded model files by their bytes, never by their names.

Accepts formats that contain only data: ONNX, safetensors, GGUF, skops, and the models of XGBoost and LightGBM. Rejects
pickles, which run code when they are loaded. A module `*_structure` validates each format.
"""

import errno
import mmap
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import NoReturn

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.formats import ArtifactFormat, is_pickle_name
from weighbridge.core.model_files.gguf_header import GgufHeader
from weighbridge.core.model_files.gguf_structure import MAGIC as GGUF_MAGIC
from weighbridge.core.model_files.gguf_structure import check_gguf
from weighbridge.core.model_files.lightgbm_structure import check_lightgbm, is_lightgbm
from weighbridge.core.model_files.onnx_structure import check_onnx
from weighbridge.core.model_files.safetensors_structure import check_safetensors, is_safetensors
from weighbridge.core.model_files.skops_structure import check_skops, is_skops
from weighbridge.core.model_files.xgboost_structure import check_xgboost, is_xgboost, refuse_binary_xgboost

REMEDY = (
    "Export the model to ONNX (torch.onnx.export), save its weights as safetensors, or save a scikit-learn model with "
    "skops, and upload that."
)


@dataclass(frozen=True)
class ArtifactInfo:
    """The format and size of a file, and what its structure states, such as the number of trees, by name."""

    format: ArtifactFormat
    size_bytes: int
    facts: Mapping[str, object] = field(default_factory=dict)


_FOREIGN = (
    (b"PK", "a zip archive, as torch.save and torch.export write it, with a pickle inside"),
    (b"\x80", "a Python pickle"),
    (b"\x1f\x8b", "a gzip-compressed file"),
    (b"\x78", "a zlib-compressed file, as joblib writes it, with a pickle inside"),
    (b"BZh", "a bzip2-compressed file"),
    (b"\xfd7zXZ", "an xz-compressed file"),
    (b"\x93NUMPY", "a NumPy file, which may hold pickles"),
    (b"\x89HDF", "an HDF5 file"),
)


def inspect(path: Path, *, name: str, allows_external: bool = False) -> ArtifactInfo:
    """Return the format and size in bytes of the file at `path`, which was uploaded as `name`.

    With `allows_external`, an ONNX file may keep its weights in other files: only for files that nobody uploaded.
    Raises Invalid, with the reason and the remedy, unless the file is of an accepted format and complete.
    """
    if is_pickle_name(name):
        suffix = PurePath(name).suffix.lower()
        _refuse(f"{name} has the suffix of a pickle ({suffix}), and loading a pickle runs the code inside it.")
    with _mapped(path, name=name) as (content, size_bytes):
        kind, facts = _format(content, name=name, allows_external=allows_external)
        return ArtifactInfo(kind, size_bytes, facts)


def read_gguf(path: Path, *, name: str) -> GgufHeader:
    """Return what the header of a GGUF file states; raise Invalid unless the file is one, complete and sound."""
    with _mapped(path, name=name) as (content, _), memoryview(content) as view:
        if view[: len(GGUF_MAGIC)] != GGUF_MAGIC:
            raise Invalid(f"{name} is no GGUF file; it does not begin with GGUF.", code="artifact_form", field="file")
        return check_gguf(view, name=name)


@contextmanager
def _mapped(path: Path, *, name: str) -> Iterator[tuple[mmap.mmap, int]]:
    """Yield the content and the size of a file; raise Invalid if it is linked, empty, or cannot be read."""
    try:
        # Follows no link and waits for no pipe; mapped privately, because the sandbox forbids shared file mappings.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
            size_bytes = _check_alone(os.fstat(descriptor), name=name)
            # Not closed here: a refusal still refers to parts of it.
            yield mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ), size_bytes
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            raise _linked(name) from error
        raise Invalid(f"{name} cannot be read; upload it again.", code="unreadable_artifact", field="file") from error


def _check_alone(status: os.stat_result, *, name: str) -> int:
    """Return the size in bytes; raise Invalid unless it is a non-empty regular file with one name.

    A hard link could expose a secret file of another user.
    """
    if not stat.S_ISREG(status.st_mode):
        raise Invalid(f"{name} is not a file; upload the model file itself.", code="unreadable_artifact", field="file")
    if status.st_nlink > 1:
        raise _linked(name)
    if status.st_size == 0:
        raise Invalid(f"{name} is empty; upload the model file again.", code="empty_artifact", field="file")
    return status.st_size


def _linked(name: str) -> Invalid:
    text = f"{name} is a link to another file or has a hard link; copy it (cp) and use the copy."
    return Invalid(text, code="linked_artifact", field="file")


def _format(content: mmap.mmap, *, name: str, allows_external: bool) -> tuple[ArtifactFormat, Mapping[str, object]]:
    with memoryview(content) as view:
        # Checked first, because a safetensors file starts with its header length, which may look like any magic number.
        if is_safetensors(view):
            check_safetensors(view, name=name)
            return ArtifactFormat.SAFETENSORS, {}
        if view[: len(GGUF_MAGIC)] == GGUF_MAGIC:
            return ArtifactFormat.GGUF, check_gguf(view, name=name).as_document()
        if is_skops(view):
            return ArtifactFormat.SKOPS, check_skops(view, name=name)
        if is_xgboost(view):
            return ArtifactFormat.XGBOOST, check_xgboost(view, name=name)
        if is_lightgbm(view):
            return ArtifactFormat.LIGHTGBM, check_lightgbm(view, name=name)
        _refuse_foreign(view, name=name)
        check_onnx(view, name=name, allows_external=allows_external)
        return ArtifactFormat.ONNX, {}


def _refuse_foreign(view: memoryview, *, name: str) -> None:
    refuse_binary_xgboost(view, name=name)
    for magic, description in _FOREIGN:
        if view[: len(magic)] == magic:
            _refuse(
                f"{name} is {description}. Only formats that contain only data are accepted, because loading "
                "others may run code."
            )


def _refuse(reason: str) -> NoReturn:
    raise Invalid(f"{reason} {REMEDY}", code="unsafe_artifact", field="file")
