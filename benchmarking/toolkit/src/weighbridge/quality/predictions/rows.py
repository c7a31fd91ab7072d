"""Rows of predictions after their checks: arrays of one task, ready for its metrics."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

# What the file has as truth and answers, for functions of the user.
GIVEN_TRUTH, GIVEN_ANSWERS = "given_truth", "given_answers"


@dataclasses.dataclass(frozen=True)
class Rows:
    """Checked arrays by name, each with one entry per row.

    `classes` are the names of classes (empty if they are numbers), and `reading` says how scores were read.
    """

    fields: Mapping[str, NDArray[Any]]
    classes: tuple[str, ...] = ()
    reading: str = ""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.fields.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array."""
        return self.fields[name]

    def take(self, rows: NDArray[Any]) -> "Rows":
        """Return the rows of these numbers, or those that a mask of shape (rows,) selects."""
        return dataclasses.replace(self, fields={name: array[rows] for name, array in self.fields.items()})
