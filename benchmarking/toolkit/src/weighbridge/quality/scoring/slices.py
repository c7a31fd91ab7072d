"""Slices: the rows with one value of a column, or of several columns crossed."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.predictions.columns import Predictions, is_missing

MAX_SLICES = 200
WITHOUT = "(no value)"


@dataclasses.dataclass(frozen=True)
class Slice:
    """The values of a slice by column, and its rows as a mask (rows,)."""

    values: dict[str, str]
    rows: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The slice in words."""
        return ", ".join(f"{column} {value}" for column, value in self.values.items())


def slices_of(predictions: Predictions, wanted: Sequence[str]) -> list[Slice]:
    """Return the slices of columns, each a name or several with commas between them; raise Invalid.

    Rows without a value are a slice of their own, so that the slices of a column contain every row.
    """
    return [each for text in wanted for each in _slices(predictions, _columns(predictions, text))]


def _columns(predictions: Predictions, text: str) -> list[str]:
    names = [text] if text in predictions.columns else [name.strip() for name in text.split(",")]
    for name in names:
        if predictions.column(name, field="slice").ndim > 1:
            raise Invalid(f"The column {name} has a list in each row, so that it has no slices.", field="slice")
    return names


def _slices(predictions: Predictions, names: Sequence[str]) -> Iterator[Slice]:
    labels = [_labels(predictions.columns[name]) for name in names]
    kinds, of_row = np.unique(np.column_stack(labels), axis=0, return_inverse=True)
    if len(kinds) > MAX_SLICES:
        text = (
            f"{' and '.join(names)} have {len(kinds):,} different values, but at most {MAX_SLICES} slices are scored: "
            "put values into classes first."
        )
        raise Invalid(text, code="slices_many", field="slice")
    for number, kind in enumerate(kinds.tolist()):
        yield Slice(dict(zip(names, kind, strict=True)), of_row.ravel() == number)


def _labels(column: NDArray[Any]) -> NDArray[Any]:
    missing = is_missing(column)
    return np.array([WITHOUT if lacks else str(value) for value, lacks in zip(column.tolist(), missing, strict=True)])
