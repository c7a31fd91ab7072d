"""Data sets: the rows of each input, and their truth. They are read from `.npz` files.

The array `y` of shape (rows,) is the truth: integers are classes, floats are regression targets, texts are the names of
classes. Every other array is the input of its name, with one entry per row; a single one called `x` fits any model with
one input. Rows of different sizes are two arrays, `NAME.values` (one dimension) and `NAME.shapes` (rows, dimensions).
The columns of a table of numbers are one array, and `NAME.features` has their names.
Nothing is cast silently: a wrong type or shape raises Invalid with the fix.
"""

import dataclasses
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Column, Ragged, row_digests, taken

TRUTH, ONLY = "y", "x"
VALUES, SHAPES, FEATURES = ".values", ".shapes", ".features"


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Rows: the columns by the name of their input, and their true classes, numbers or class names, if known.

    `features` are the names of the columns of the table that an input was made of.
    """

    columns: Mapping[str, Column]
    y: NDArray[Any] | None
    features: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, x: NDArray[Any], y: NDArray[Any] | None) -> "DataSet":
        """Return the rows of a model with one input."""
        return cls({ONLY: x}, y)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())))

    @property
    def x(self) -> NDArray[Any]:
        """The rows of the only input; raises Invalid for several inputs and for rows of different sizes."""
        if len(self.columns) == 1:
            (column,) = self.columns.values()
            if not isinstance(column, Ragged):
                return column
        text = "This needs rows of one size for a model with one input: an .npz file with x (rows, ...) and y (rows,)."
        raise Invalid(text, code="data_form", field="data")

    @property
    def truth(self) -> NDArray[Any]:
        """The truth; raises Invalid without it."""
        if self.y is None:
            text = "The data set has no truth; add the array y (rows,): integers are classes, floats are numbers."
            raise Invalid(text, code="data_form", field="data")
        return self.y

    @property
    def fingerprints(self) -> NDArray[Any]:
        """What tells rows apart, (rows, ...): the rows of a single input themselves, otherwise digests of all."""
        columns = list(self.columns.values())
        if len(columns) == 1 and not isinstance(columns[0], Ragged):
            return columns[0]
        return np.array(row_digests(self.columns), dtype="V16")

    def take(self, rows: NDArray[Any]) -> "DataSet":
        """Return the rows of these numbers, or those that a mask of shape (rows,) selects."""
        columns = {name: taken(column, rows) for name, column in self.columns.items()}
        return dataclasses.replace(self, columns=columns, y=None if self.y is None else self.y[rows])


def read_data_set(path: Path) -> DataSet:
    """Read an `.npz` data set; raise Invalid if it is missing, unreadable, pickled or malformed."""
    if not path.is_file():
        raise Invalid(f"There is no data file {path.name}.", code="data_missing", field="data")
    arrays = _arrays(path)
    y = arrays.pop(TRUTH, None)
    features = _features(arrays)
    names = {name + FEATURES for name in features}
    columns = _columns({name: array for name, array in arrays.items() if name not in names})
    if not columns:
        text = f"{path.name} has no input; create it with numpy.savez(path, x=..., y=...)."
        raise Invalid(text, code="data_form", field="data")
    return DataSet(columns, _truth(columns, y), features)


def write_data_set(data: DataSet, file: Path | BinaryIO) -> None:
    """Write rows to an `.npz` file; the same rows give the same bytes, with every Python. Raises OSError."""
    arrays: dict[str, NDArray[Any]] = {} if data.y is None else {TRUTH: data.y}
    for name, column in data.columns.items():
        if isinstance(column, Ragged):
            arrays |= {name + VALUES: column.values, name + SHAPES: column.shapes}
        else:
            arrays[name] = column
    arrays |= {name + FEATURES: np.array(names) for name, names in data.features.items()}
    # `numpy.savez` asks for entries of any size, whose headers differ between the patches of Python 3.11.
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.file_size = array.nbytes
            with archive.open(entry, "w") as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        # Opened here, because NumPy leaves the file open if the archive is truncated.
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                return {}
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        text = (
            f"{path.name} cannot be read as an .npz file without pickles ({error}); create it with numpy.savez, or "
            "with `weighbridge prepare-data` from tables, images and sounds."
        )
        raise Invalid(text, code="data_unreadable", field="data") from error


def _features(arrays: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, ...]]:
    """Return the names of the columns of each input that has some; raise Invalid for names that do not fit."""
    found = {}
    for label, names in arrays.items():
        name = label.removesuffix(FEATURES)
        if name == label or name not in arrays:
            continue
        if names.dtype.kind != "U" or names.ndim != 1 or arrays[name].ndim != 2 or len(names) != arrays[name].shape[1]:
            text = f"{label} must have one text for each column of the array {name}."
            raise Invalid(text, code="data_shape", field="data")
        found[name] = tuple(names.tolist())
    return found


def _columns(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Column]:
    ragged = {name.removesuffix(VALUES) for name in arrays if name.endswith(VALUES)}
    ragged = {name for name in ragged if name + SHAPES in arrays}
    columns: dict[str, Column] = {name: _ragged(name, arrays) for name in sorted(ragged)}
    own = {name + part for name in ragged for part in (VALUES, SHAPES)}
    columns |= {name: array for name, array in arrays.items() if name not in own}
    for name, column in columns.items():
        if getattr(column, "shape", (1,)) == () or len(column) == 0:
            text = f"The array {name} has no rows. State an input that is the same for all rows with --input."
            raise Invalid(text, code="data_empty", field="data")
    counts = {name: len(column) for name, column in columns.items()}
    if len(set(counts.values())) > 1:
        words = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise Invalid(
            f"All arrays need the same number of rows, but they have: {words}.", code="data_shape", field="data"
        )
    return columns


def _ragged(name: str, arrays: Mapping[str, NDArray[Any]]) -> Ragged:
    values, shapes = arrays[name + VALUES], arrays[name + SHAPES]
    is_sound = values.ndim == 1 and shapes.ndim == 2 and np.issubdtype(shapes.dtype, np.integer)
    if not is_sound or (shapes < 0).any() or int(shapes.astype(np.int64).prod(axis=1).sum()) != len(values):
        text = f"{name}{SHAPES} must have the shape of each row, (rows, dimensions), and {name}{VALUES} their values."
        raise Invalid(text, code="data_shape", field="data")
    return Ragged(values, shapes.astype(np.int64))


def _truth(columns: Mapping[str, Column], y: NDArray[Any] | None) -> NDArray[Any] | None:
    rows = len(next(iter(columns.values())))
    if y is None:
        return None
    if y.shape != (rows,):
        text = f"y has shape {y.shape}, but there are {rows} rows: y must have shape ({rows},)."
        raise Invalid(text, code="data_shape", field="data")
    if y.dtype.kind == "U":
        return y
    if np.issubdtype(y.dtype, np.integer):
        return y.astype(np.int64)
    if not np.issubdtype(y.dtype, np.floating):
        text = (
            f"y contains {y.dtype}; save classes with y.astype('int64'), regression targets with y.astype('float64')."
        )
        raise Invalid(text, code="data_type", field="data")
    if not np.isfinite(y).all():
        raise Invalid("y contains NaN or infinite numbers; remove those rows.", code="data_type", field="data")
    return y.astype(np.float64)
