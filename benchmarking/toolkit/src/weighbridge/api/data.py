"""`prepare_data`: a data set for measurements, from a table, a folder, or arrays."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from weighbridge.api.documents import PathLike, write_file
from weighbridge.api.results import Result
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.columns import Ragged
from weighbridge.measure.inputs.data_set import TRUTH, DataSet, read_data_set, write_data_set
from weighbridge.measure.inputs.declared import declared_inputs
from weighbridge.measure.inputs.sources.prepare import (
    NPZ,
    SourceOptions,
    data_set_of,
    feature_spec,
    is_mixed,
    read_source,
    source_entry,
)
from weighbridge.measure.inputs.sources.rows import SourceRows, column_of
from weighbridge.systems.registry import system_for

SCHEMA = "weighbridge.data/1"
Data = str | os.PathLike[str] | Mapping[str, ArrayLike]


def prepare_data(source: PathLike, out: PathLike, *, model: PathLike | None = None, **options: Any) -> Result:
    """Write the `.npz` data set of a source, which every measurement reads.

    `source` is a table (.csv, .parquet, .jsonl), a folder of images or `.wav` files with a subfolder for each class, or
    an `.npz` file. With the ONNX file `model`, columns get the names, types and ranks of its inputs: by name, or as the
    features of its only input, in their order. `options` are those of `measure.inputs.sources.prepare.SourceOptions`:
    `target`, `columns`, `text`, `tokenizer`, `max_tokens`, `preprocess` ("package.module:function") and `image`.

    The result is a `weighbridge.data/1` document. `to_pandas()` has a row for each array. Raises Invalid for data that
    cannot be read or does not fit, and ExtraMissing.
    """
    path = Path(source)
    if Path(out).suffix != NPZ:
        raise Invalid(f"A data set is an {NPZ} file; call it {Path(out).stem}{NPZ}.", code="data_form", field="out")
    if Path(out).exists() and path.exists() and path.samefile(out):
        raise Invalid(f"{path.name} is the source; give the data set another name.", code="overwrites", field="out")
    data = _fitted(read_source(path, SourceOptions(**options)), model)
    content = io.BytesIO()
    write_data_set(data, content)
    write_file(Path(out), content.getvalue(), field="out")
    rows = tuple(_row(name, column) for name, column in data.columns.items())
    truth = None if data.y is None else _row(TRUTH, data.y)
    document = {"schema": SCHEMA, "source": source_entry(path), "rows": len(data), "arrays": rows, "truth": truth}
    return Result(document, rows, lambda: _lines(document))


def data_file(data: Data | None, *, model: PathLike | None, folder: Path) -> Path | None:
    """Return an `.npz` file for a data set of any form, in `folder` if it had to be written; raise Invalid."""
    if data is None:
        return None
    file = folder / "data.npz"
    if isinstance(data, Mapping):
        columns = {name: column_of(name, list(np.asarray(array))) for name, array in data.items() if name != TRUTH}
        write_data_set(DataSet(columns, np.asarray(data[TRUTH]) if TRUTH in data else None), file)
        read_data_set(file)
        return file
    path = Path(data)
    if path.suffix == NPZ or not path.exists():
        return path
    write_data_set(_fitted(read_source(path, SourceOptions()), model), file)
    return file


def file_entry(given: Any) -> dict[str, str] | None:
    """Return the name and the digest of a file that was given, None for data that are no file."""
    return source_entry(Path(given)) if isinstance(given, str | os.PathLike) else None


def _fitted(rows: SourceRows, model: PathLike | None) -> DataSet:
    """Return the rows in the form that a model file takes."""
    if model is None:
        return data_set_of(rows, ())
    system = system_for(Path(model))
    if system == "onnx":
        return data_set_of(rows, declared_inputs(Path(model)))
    return data_set_of(rows, () if system == "sklearn" and is_mixed(rows) else [feature_spec(rows)])


def _row(name: str, column: Any) -> dict[str, Any]:
    if isinstance(column, Ragged):
        sizes = column.shapes.prod(axis=1)
        shape = f"{len(column)} rows of {int(sizes.min())} to {int(sizes.max())} values"
    else:
        shape = " x ".join(map(str, column.shape))
    return {"array": name, "type": str(column.dtype), "shape": shape}


def _lines(document: Mapping[str, Any]) -> list[str]:
    arrays = [*document["arrays"], *([document["truth"]] if document["truth"] else [])]
    return [
        f"{document['rows']:,} rows",
        *(f"  {row['array']}: {row['type']}, {row['shape']}" for row in arrays),
        *([] if document["truth"] else ["  no truth: quality cannot be measured"]),
    ]
