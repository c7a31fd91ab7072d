"""The source of each input of a model: an array of the data set, a stated value, a state, or a drawn array."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Column, Ragged
from weighbridge.measure.inputs.data_set import ONLY, DataSet
from weighbridge.measure.inputs.drawn import draw, valued
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.inputs.spec import ROWS, TEXT, InputSpec
from weighbridge.measure.loops.latency import Feed


@dataclasses.dataclass(frozen=True)
class Bound:
    """The inputs of a model with their sources.

    `columns` are the arrays of the data set by input, `fixed` the inputs that are the same for all rows.
    """

    specs: tuple[InputSpec, ...]
    settings: InputSettings
    columns: Mapping[str, Column]

    def feed(self, start: int, stop: int, rng: np.random.Generator) -> Feed:
        """Return the query of these rows, without states; inputs without an array are drawn or have their value."""
        return {spec.name: self._array(spec, start, stop, rng) for spec in self.specs if not self._is_state(spec)}

    def states(self, rows: int) -> dict[str, NDArray[Any]]:
        """Return the first states, which are zeros."""
        dimensions = self.settings.dimensions
        return {
            spec.name: np.zeros(dimensions.shape(spec, rows=rows), dtype=spec.dtype)
            for spec in self.specs
            if self._is_state(spec)
        }

    @property
    def fixed_rows(self) -> int | None:
        """The rows of a query if an input with an array has a fixed number of them, None if it is free.

        1 if a row is a whole query: its array has no place for several rows, or rows differ in size.
        """
        sizes = {self._rows_of(spec) for spec in self.specs if spec.name in self.columns}
        fixed = sorted(size for size in sizes if size is not None)
        return fixed[0] if fixed else None

    def _rows_of(self, spec: InputSpec) -> int | None:
        column = self.columns[spec.name]
        if isinstance(column, Ragged) or column.ndim > len(spec.shape):
            return 1
        size = self.settings.dimensions.size(spec, 0)
        return None if size in (ROWS, None) else size

    def _is_state(self, spec: InputSpec) -> bool:
        return spec.name in self.settings.state

    def _array(self, spec: InputSpec, start: int, stop: int, rng: np.random.Generator) -> NDArray[Any]:
        column = self.columns.get(spec.name)
        if column is not None:
            return _typed(_rows(column, len(spec.shape), start, stop), spec)
        shape = self.settings.dimensions.shape(spec, rows=stop - start)
        value = self.settings.values.get(spec.name)
        return draw(spec, shape, rng) if value is None else valued(spec, value, shape, rng)


def _rows(column: Column, rank: int, start: int, stop: int) -> NDArray[Any]:
    if isinstance(column, Ragged):
        row = column.row(start)
        return row if row.ndim == rank else row[None]
    return column[start] if column.ndim > rank else column[start:stop]


def _typed(array: NDArray[Any], spec: InputSpec) -> NDArray[Any]:
    return array.astype(object if spec.dtype == TEXT else spec.dtype, copy=False)


def bind(specs: Sequence[InputSpec], data: DataSet | None, settings: InputSettings) -> Bound:
    """Find the source of each input; raise Invalid, with the fix, if one has none or does not fit."""
    names = [spec.name for spec in specs]
    for name in (*settings.values, *settings.state):
        if name not in names:
            text = f"The model has no input {name!r}; its inputs are {', '.join(names) or 'none'}."
            raise Invalid(text, code="model_inputs", field="input")
    settings.dimensions.check(specs)
    columns = {} if data is None else _columns(specs, data, settings)
    for spec in specs:
        if spec.name in columns:
            _check_fits(spec, columns[spec.name], settings)
    return Bound(tuple(specs), settings, columns)


def _columns(specs: Sequence[InputSpec], data: DataSet, settings: InputSettings) -> dict[str, Column]:
    """Return the arrays of the data set by the input that they are for; one called `x` is for the only input."""
    open_inputs = [spec.name for spec in specs if spec.name not in {*settings.values, *settings.state}]
    given = dict(data.columns)
    if len(given) == 1 and len(open_inputs) == 1 and (ONLY in given or open_inputs[0] in given):
        ((name, column),) = given.items()
        (spec,) = (each for each in specs if each.name == open_inputs[0])
        return {spec.name: _in_order(spec, column, data.features.get(name, ()))}
    missing = [name for name in open_inputs if name not in given]
    spare = [name for name in given if name not in open_inputs]
    if missing or spare:
        raise Invalid(_mismatch(open_inputs, missing, spare), code="model_inputs", field="data")
    return given


def check_columns(trained: Sequence[str], names: Collection[str]) -> None:
    """Raise Invalid if the names of a table lack a column that a model was trained on."""
    missing = [name for name in trained if name not in names]
    if missing:
        text = (
            f"The model was trained on the columns {', '.join(trained)}, and the data has no {', '.join(missing)}: it "
            f"has {', '.join(names)}. Name the columns as in training."
        )
        raise Invalid(text, code="model_inputs", field="data")


def _in_order(spec: InputSpec, column: Column, names: Sequence[str]) -> Column:
    """Return a table with the columns that a model was trained on, in its order; raise Invalid if some are missing."""
    if not spec.features or not names or isinstance(column, Ragged):
        return column
    check_columns(spec.features, names)
    return column[:, [names.index(name) for name in spec.features]]


def _mismatch(inputs: Sequence[str], missing: Sequence[str], spare: Sequence[str]) -> str:
    words = f"The model has the inputs {', '.join(inputs) or 'none'}"
    lacks = f", but the data set has no array for {', '.join(missing)}" if missing else ""
    extra = (
        f"{' and' if lacks else ', but the data set'} has {', '.join(spare)}, which no input is called" if spare else ""
    )
    fix = (
        "Name the arrays as the inputs (`weighbridge prepare-data` does with --model FILE, and keeps each --column "
        "NAME); state one that is the same for all rows with --input NAME=VALUE."
    )
    return f"{words}{lacks}{extra}. {fix}"


def _check_fits(spec: InputSpec, column: Column, settings: InputSettings) -> None:
    shapes = column.shapes if isinstance(column, Ragged) else np.array([column.shape[1:]])
    dimensions = shapes.shape[1]
    if dimensions not in (len(spec.shape), len(spec.shape) - 1) or dimensions < 0:
        raise _shape_refusal(spec, column)
    sizes = spec.shape[len(spec.shape) - dimensions :]
    first = len(spec.shape) - dimensions
    for axis in range(len(sizes)):
        stated = settings.dimensions.size(spec, first + axis)
        if stated not in (None, ROWS) and set(shapes[:, axis].tolist()) != {stated}:
            raise _shape_refusal(spec, column)
    _check_type(spec, column)


def _shape_refusal(spec: InputSpec, column: Column) -> Invalid:
    expected = ", ".join("any" if size is None else str(size) for size in spec.shape)
    found = (
        f"rows of different sizes, the first {tuple(column.shapes[0])}" if isinstance(column, Ragged) else column.shape
    )
    text = (
        f"The array for the input {spec.name!r} has the shape {found}; the model needs ({expected}), with the rows in "
        f"the first dimension, or rows of that shape each."
    )
    return Invalid(text, code="data_shape", field="data")


def _check_type(spec: InputSpec, column: Column) -> None:
    is_text = column.dtype.kind == "U"
    if spec.dtype == TEXT and is_text:
        return
    if spec.dtype != TEXT and not is_text and column.dtype == np.dtype(_numeric(spec)):
        return
    fix = "text" if spec.dtype == TEXT else f".astype({spec.dtype!r})"
    text = f"The array for the input {spec.name!r} contains {column.dtype}, not {spec.dtype}; save it with {fix}."
    raise Invalid(text, code="data_type", field="data")


def _numeric(spec: InputSpec) -> str:
    try:
        np.dtype(spec.dtype)
    except TypeError as error:
        text = f"The input {spec.name!r} has the type {spec.dtype}, for which there is no array."
        raise Invalid(text, code="model_inputs", field="model") from error
    return spec.dtype
