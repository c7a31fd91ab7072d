"""The file of an evaluation set: an `.npz` archive with numeric arrays x and y; rows and class balance are counted."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from benchmarking.runs.domain.evaluation_sets import DatasetTask
from weighbridge.core.errors import Invalid
from weighbridge.quality.predictions.class_rows import MAX_CLASSES

ARRAYS_MAX = 16
READ_BYTES_MAX = 1_000_000  # a table of contents of about ten thousand entries
HEADER_BYTES_MAX = 10_000
ROWS_MAX = 10_000_000
CHUNK_LABELS = 65_536
# Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
MAGIC = b"\x93NUMPY"
DTYPE = re.compile(rb"""['"]descr['"]: *['"]([^'"]*)['"]""")
SHAPE = re.compile(rb"""['"]shape['"]: *\(([0-9, ]*)\)""")
NUMERIC_DTYPE = re.compile(rb"[<>|=]?[biufc][0-9]{1,2}")


@dataclass(frozen=True)
class DataSummary:
    """The contents of a file: rows, what the labels are, and for classes the rows of each, by class number."""

    rows: int
    task: DatasetTask
    class_balance: dict[str, int] = field(default_factory=dict)


def inspect(path: Path, *, limit_mb: int) -> DataSummary:
    """Summarize an archive of numeric arrays x and y, which unpack to at most `limit_mb`; never reads x itself.

    Reads the table of contents, two headers, and the labels in pieces. Raises Invalid for other archives.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(_BoundedReads(file)) as archive:
            _check_entries(archive.infolist(), limit_mb=limit_mb)
            with archive.open("x.npy") as stream:
                _, shape = _header(stream, "x")
            with archive.open("y.npy") as stream:
                return _summary(stream, rows=shape[0] if shape else 0)
    except Invalid:
        raise
    except Exception as error:  # a broken archive can make the library raise any exception
        raise Invalid("The data must be an .npz file as written by numpy.savez.", field="file") from error


class _BoundedReads(io.RawIOBase):
    """A file that refuses large reads, such as a table of contents with millions of entries."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1) -> bytes:
        limit = READ_BYTES_MAX + 1
        content = self._file.read(limit if size is None or size < 0 else min(size, limit))
        if len(content) == limit:
            raise Invalid("The .npz file has too many entries; it must contain the arrays x and y.", field="file")
        return content


def _check_entries(entries: list[zipfile.ZipInfo], *, limit_mb: int) -> None:
    names = [entry.filename for entry in entries]
    if not {"x.npy", "y.npy"} <= set(names):
        raise Invalid("The .npz file must contain an array x (inputs) and an array y (labels).", field="file")
    if len(names) > ARRAYS_MAX or len(set(names)) < len(names):
        text = f"The .npz file must contain at most {ARRAYS_MAX} arrays, each once; keep only x and y."
        raise Invalid(text, field="file")
    if sum(entry.file_size for entry in entries) > limit_mb * 1_000_000:
        text = f"The unpacked arrays exceed {limit_mb} MB, the memory limit of a run; send fewer rows."
        raise Invalid(text, field="file")


def _header(stream: IO[bytes], name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read the dtype and the shape of an array; the stream is then at its content."""
    begin = stream.read(len(MAGIC) + 2)
    size = int.from_bytes(stream.read(2 if begin[len(MAGIC) :][:1] == b"\x01" else 4), "little")
    header = stream.read(min(size, HEADER_BYTES_MAX))
    dtype, shape = DTYPE.search(header), SHAPE.search(header)
    if not begin.startswith(MAGIC) or dtype is None or shape is None or not NUMERIC_DTYPE.fullmatch(dtype[1]):
        text = f"The array {name} must contain only numbers; other content could run code when it is read."
        raise Invalid(text, field="file")
    return np.dtype(dtype[1].decode()), tuple(int(part) for part in shape[1].split(b",") if part.strip())


def _summary(stream: IO[bytes], *, rows: int) -> DataSummary:
    dtype, shape = _header(stream, "y")
    if not 1 <= rows <= ROWS_MAX or shape != (rows,):
        text = f"x has {rows:,} rows and y has the shape {shape}: give 1 to {ROWS_MAX:,} rows, with one label each."
        raise Invalid(text, field="file")
    labels = _labels(stream, dtype, rows)
    if dtype.kind == "f":
        if not all(np.isfinite(chunk).all() for chunk in labels):
            raise Invalid("y contains NaN or infinite numbers; remove those rows.", field="file")
        return DataSummary(rows, DatasetTask.NUMBERS)
    if dtype.kind not in "iu":
        text = f"y contains {dtype}; save classes with y.astype('int64'), regression targets with y.astype('float64')."
        raise Invalid(text, field="file")
    counts = sum((_counts(chunk) for chunk in labels), start=np.zeros(MAX_CLASSES, np.int64))
    return DataSummary(rows, DatasetTask.CLASSES, {str(name): int(counts[name]) for name in np.flatnonzero(counts)})


def _labels(stream: IO[bytes], dtype: np.dtype[Any], rows: int) -> Iterator[NDArray[Any]]:
    for start in range(0, rows, CHUNK_LABELS):
        count = min(CHUNK_LABELS, rows - start)
        yield np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)


def _counts(labels: NDArray[Any]) -> NDArray[np.int64]:
    if labels.min() < 0 or labels.max() >= MAX_CLASSES:
        raise Invalid(f"y must contain class numbers between 0 and {MAX_CLASSES - 1}.", field="file")
    return np.bincount(labels.astype(np.int64), minlength=MAX_CLASSES)
