"""Reading predictions: tables, .npz files, data frames, and mappings of arrays."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.sources.tables import READERS
from weighbridge.quality.predictions.columns import Predictions

NPZ = ".npz"
Mapped = Mapping[str, Sequence[str]]


def predictions_of(source: Any, mapped: Mapped) -> Predictions:
    """Return the predictions of a file, a data frame (pandas, Polars) or a mapping of arrays; raise Invalid."""
    if isinstance(source, str | os.PathLike):
        return Predictions(_columns_of_file(Path(source)), mapped)
    if isinstance(source, Mapping):
        return Predictions({str(name): column_of(values) for name, values in source.items()}, mapped)
    if hasattr(source, "columns") and hasattr(source, "__getitem__"):
        return Predictions({str(name): column_of(source[name]) for name in source.columns}, mapped)
    text = f"Predictions are a file, a data frame or a mapping of arrays, not {type(source).__name__}."
    raise Invalid(text, code="predictions_form", field="predictions")


def column_of(values: Any) -> NDArray[Any]:
    """Return values as an array with one entry per row; lists of different lengths become objects."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufU":
        return _with_rows(values)
    for method in ("to_list", "tolist"):
        if hasattr(values, method):
            values = getattr(values, method)()
            break
    if isinstance(values, str) or not hasattr(values, "__len__"):
        return _with_rows(np.asarray(values))
    listed = list(values)
    try:
        array = np.asarray(listed)
    except ValueError:
        return _objects(listed)
    # NumPy turns numbers beside texts into texts, which would make the number 1 and the text "1" one class.
    is_mixed = array.dtype.kind == "U" and array.ndim == 1 and not all(isinstance(value, str) for value in listed)
    return _objects(listed) if is_mixed or array.dtype.kind not in "biufU" else array


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _with_rows(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 0:
        text = "A column of predictions has one entry per row, but one is a single value."
        raise Invalid(text, code="predictions_form", field="predictions")
    return array


def _columns_of_file(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise Invalid(f"There is no file {path}.", code="predictions_missing", field="predictions")
    if path.suffix == NPZ:
        return _columns_of_npz(path)
    if path.suffix not in READERS:
        text = f"{path.name} is no file of predictions: give {', '.join([*READERS, NPZ])}."
        raise Invalid(text, code="predictions_form", field="predictions")
    polars = import_extra("polars")
    try:
        frame = READERS[path.suffix](polars, path)
    except Exception as error:
        # The errors of Polars have no common base class.
        raise _unreadable(path, str(error).splitlines()[0]) from error
    return {name: column_of(frame[name].to_list()) for name in frame.columns}


def _columns_of_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise _unreadable(path, "it has one array without a name")
            return {name: _with_rows(archive[name]) for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> Invalid:
    text = f"{path.name} cannot be read as {path.suffix} ({why})."
    return Invalid(text, code="predictions_unreadable", field="predictions")
