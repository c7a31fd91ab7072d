"""Rows as they are read from a source, before they become the arrays of a data set."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Column, Ragged
from weighbridge.measure.inputs.spec import TEXT, InputSpec


@dataclasses.dataclass(frozen=True)
class SourceRows:
    """Columns with one array, text or number for each row, and the truth if there is one.

    `is_convertible` columns have the type of their file, not of a model: they may become that of an input.
    """

    columns: Mapping[str, Sequence[Any]]
    truth: Sequence[Any] | None
    is_convertible: bool = False

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a mapping from column to value."""
        for index in range(len(self)):
            yield {name: values[index] for name, values in self.columns.items()}


def column_of(name: str, values: Sequence[Any]) -> Column:
    """Join the rows of one input: to one array if they have one shape, otherwise to rows of different sizes.

    Raises Invalid for rows of different types or numbers of dimensions.
    """
    arrays = [np.asarray(value) for value in values]
    kinds = {(array.dtype.kind, array.ndim) for array in arrays}
    if len(kinds) > 1 or next(iter(kinds))[0] not in "biufU":
        text = f"The rows of {name} differ in type or in their number of dimensions; make them alike."
        raise Invalid(text, code="data_type", field="data")
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    return Ragged.of(arrays)


def stacked(columns: Mapping[str, Sequence[Any]], spec: InputSpec) -> Column:
    """Return single numbers by column as the rows of one input, in the order of the columns; raise Invalid."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    odd = [name for name, array in arrays.items() if array.ndim != 1 or array.dtype.kind not in "biuf"]
    if odd:
        text = (
            f"The columns {', '.join(odd)} have no single number in each row, so they cannot be features of the input "
            f"{spec.name!r}. Use `weighbridge prepare-data`: --target names the column of the truth, --column each "
            "column to keep, and --preprocess a function that makes numbers."
        )
        raise Invalid(text, code="data_type", field="data")
    return converted(np.column_stack(list(arrays.values())), spec)


def converted(column: Column, spec: InputSpec) -> Column:
    """Return a column in the type and the rank of an input; raise Invalid if a number would be lost."""
    if isinstance(column, Ragged):
        return dataclasses.replace(column, values=_cast(column.values, spec))
    array = _cast(column, spec)
    # A table has a number where the exporters of scikit-learn declare rows of one number.
    return array[:, None] if array.ndim == 1 and len(spec.shape) == 2 and spec.shape[1] == 1 else array


def _cast(array: NDArray[Any], spec: InputSpec) -> NDArray[Any]:
    if spec.dtype == TEXT:
        return array.astype(str)
    if array.dtype.kind == "U":
        text = f"The input {spec.name!r} has numbers ({spec.dtype}), but the data has texts; use --preprocess."
        raise Invalid(text, code="data_type", field="data")
    wanted = np.dtype(spec.dtype)
    cast = array.astype(wanted)
    if wanted.kind in "biu" and not np.array_equal(cast, array):
        text = f"The input {spec.name!r} has whole numbers ({spec.dtype}), but the data has others."
        raise Invalid(text, code="data_type", field="data")
    return cast
