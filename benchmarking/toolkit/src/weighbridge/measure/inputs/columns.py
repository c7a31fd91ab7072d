"""Columns: the rows of one input, as one array or, for rows of different sizes, as an array of their own each."""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Ragged:
    """Rows of different sizes: all their values in one array, and the shape of each row, (rows, dimensions)."""

    values: NDArray[Any]
    shapes: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[NDArray[Any]]) -> "Ragged":
        """Join arrays of one type and one number of dimensions."""
        return cls(np.concatenate([row.ravel() for row in rows]), np.array([row.shape for row in rows], dtype=np.int64))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.shapes)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the rows."""
        return (self.row(index) for index in range(len(self)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.values.dtype

    @functools.cached_property
    def ends(self) -> NDArray[np.int64]:
        """The place after the last value of each row."""
        return np.cumsum(self.shapes.prod(axis=1))

    def row(self, index: int) -> NDArray[Any]:
        """Return one row."""
        end = int(self.ends[index])
        shape = self.shapes[index]
        return self.values[end - int(shape.prod()) : end].reshape(shape)

    def take(self, rows: NDArray[Any]) -> "Ragged":
        """Return the rows of these numbers, or those that a mask of shape (rows,) selects."""
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Ragged.of([self.row(int(number)) for number in numbers])


Column = NDArray[Any] | Ragged


def taken(column: Column, rows: NDArray[Any]) -> Column:
    """Return the rows of a column of these numbers, or those that a mask selects."""
    return column.take(rows) if isinstance(column, Ragged) else column[rows]


def row_digests(columns: Mapping[str, Column]) -> list[bytes]:
    """Return a digest of each row over all columns; rows of the same bytes have the same digest."""
    if not columns:
        return []
    digests = [hashlib.blake2b(digest_size=16) for _ in range(len(next(iter(columns.values()))))]
    for column in columns.values():
        for digest, row in zip(digests, column, strict=True):
            digest.update(np.ascontiguousarray(row).tobytes())
    return [digest.digest() for digest in digests]
