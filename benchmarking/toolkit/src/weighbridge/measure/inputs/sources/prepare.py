"""From a source to the `.npz` data set that every measurement reads."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.inputs.columns import Column
from weighbridge.measure.inputs.data_set import ONLY, DataSet, read_data_set
from weighbridge.measure.inputs.sources.functions import function_of, preprocessed, tokenized
from weighbridge.measure.inputs.sources.media import ImageOptions, read_folder
from weighbridge.measure.inputs.sources.rows import SourceRows, column_of, converted, stacked
from weighbridge.measure.inputs.sources.tables import READERS, read_table
from weighbridge.measure.inputs.spec import TEXT, InputSpec

NPZ = ".npz"
IMAGES_AS_THEY_ARE = ImageOptions()


@dataclasses.dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How a source is read: the truth, the columns to keep, the tokenizer, the preprocessing, and images.

    `target` is the column of the truth, which must be there; if empty it is `y`, if there is one.
    """

    target: str = ""
    columns: tuple[str, ...] = ()
    text: str = "text"
    tokenizer: Path | None = None
    max_tokens: int | None = None
    preprocess: str = ""
    image: ImageOptions = IMAGES_AS_THEY_ARE


def read_source(source: Path, options: SourceOptions) -> SourceRows:
    """Read a table (.csv, .parquet, .jsonl), an .npz file, or a folder of images or sounds, and preprocess its rows.

    Raises Invalid, with the fix, for whatever cannot be read, and ExtraMissing.
    """
    rows = _rows(source, options)
    if not len(rows):
        raise Invalid(f"{source.name} has no rows.", code="data_empty", field="data")
    if options.tokenizer is not None:
        rows = tokenized(rows, tokenizer=options.tokenizer, text=options.text, most=options.max_tokens)
    return preprocessed(rows, function_of(options.preprocess)) if options.preprocess else rows


def _rows(source: Path, options: SourceOptions) -> SourceRows:
    _check_options(source, options)
    if source.is_dir():
        return read_folder(source, options.image)
    if not source.is_file():
        raise Invalid(f"There is no data file {source.name}.", code="data_missing", field="data")
    if source.suffix in READERS:
        return read_table(source, target=options.target, columns=options.columns)
    if source.suffix == NPZ:
        data = read_data_set(source)
        return SourceRows(
            {name: list(column) for name, column in data.columns.items()}, None if data.y is None else list(data.y)
        )
    text = f"{source.name} is no data set: give {NPZ}, {', '.join(READERS)}, or a folder of images or .wav files."
    raise Invalid(text, code="data_form", field="data")


def _check_options(source: Path, options: SourceOptions) -> None:
    """Raise Invalid for an option that this kind of source would ignore."""
    is_table = source.suffix in READERS and not source.is_dir()
    if (options.target or options.columns) and not is_table:
        text = f"--target and --column choose columns of tables ({', '.join(READERS)}); {source.name} is none."
        raise Invalid(text, code="data_form", field="target")
    if options.image != IMAGES_AS_THEY_ARE and not source.is_dir():
        text = f"--resize, --layout, --mean, --deviation and --gray are for a folder of images; {source.name} is none."
        raise Invalid(text, code="data_form", field="image")


def data_set_of(rows: SourceRows, specs: Sequence[InputSpec]) -> DataSet:
    """Return the rows as a data set for a model with these inputs; without any, columns stay as they are.

    Columns are given to the inputs of their names, and the others are left out. If none has such a name and the model
    has one input, a single column is that input, and several are its features in their order. So are all columns of a
    model that has as many features, even if one of them has the name of its input. Raises Invalid.
    """
    by_name = {spec.name: spec for spec in specs}
    features = {specs[0].name: tuple(rows.columns)} if _are_features(rows, by_name) else {}
    return DataSet(_columns(rows, by_name), _truth(rows.truth), features)


def is_mixed(rows: SourceRows) -> bool:
    """Return whether a table has several columns of which some are texts."""
    return len(rows.columns) > 1 and any(isinstance(values[0], str) for values in rows.columns.values())


def feature_spec(rows: SourceRows) -> InputSpec:
    """Return the input of a model file that does not declare its own: texts of a single column, or numbers."""
    values = next(iter(rows.columns.values()))
    is_text = len(rows.columns) == 1 and isinstance(values[0], str)
    return InputSpec(ONLY, TEXT, ("n",)) if is_text else InputSpec(ONLY, "float64", ("n", len(rows.columns)))


def _are_features(rows: SourceRows, specs: Mapping[str, InputSpec]) -> bool:
    """Return whether several columns are the features of the only input: none has its name, or they are as many."""
    if len(specs) != 1 or len(rows.columns) == 1:
        return False
    ((name, spec),) = specs.items()
    return name not in rows.columns or (len(spec.shape) == 2 and spec.shape[1] == len(rows.columns))


def _columns(rows: SourceRows, specs: Mapping[str, InputSpec]) -> dict[str, Column]:
    if not specs:
        return {name: column_of(name, values) for name, values in rows.columns.items()}
    named = {name: values for name, values in rows.columns.items() if name in specs}
    if named and not _are_features(rows, specs):
        return {name: _column(rows, name, values, specs[name]) for name, values in named.items()}
    if len(specs) > 1:
        text = (
            f"The model has the inputs {', '.join(specs)}, and the data has the columns {', '.join(rows.columns)}: "
            "name the columns as the inputs, or return them with --preprocess."
        )
        raise Invalid(text, code="model_inputs", field="data")
    ((name, spec),) = specs.items()
    if len(rows.columns) == 1:
        return {name: _column(rows, name, next(iter(rows.columns.values())), spec)}
    return {name: stacked(rows.columns, spec)}


def _column(rows: SourceRows, name: str, values: Sequence[Any], spec: InputSpec) -> Column:
    column = column_of(name, values)
    return converted(column, spec) if rows.is_convertible else column


def _truth(truth: Sequence[Any] | None) -> NDArray[Any] | None:
    if truth is None:
        return None
    array = np.asarray(truth)
    if array.dtype.kind in "biufU" and array.ndim == 1:
        return array.astype(np.int64) if array.dtype.kind == "b" else array
    text = "The truth must have one number, class or name in each row."
    raise Invalid(text, code="data_type", field="target")


def source_entry(source: Path) -> dict[str, str]:
    """Return the name and the digest of a source; that of a folder covers the names and bytes of its files."""
    if source.is_file():
        return {"file": source.name, "digest": digest_of_file(source)}
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(source)}\0{digest_of_file(path)}\n".encode())
    return {"folder": source.name, "digest": f"sha256:{digest.hexdigest()}"}
