"""Tables: CSV, Parquet and JSON lines."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.data_set import TRUTH
from weighbridge.measure.inputs.sources.rows import SourceRows

READERS: Mapping[str, Callable[[Any, Path], Any]] = {
    ".csv": lambda polars, path: polars.read_csv(path, infer_schema_length=None, try_parse_dates=False),
    ".parquet": lambda polars, path: polars.read_parquet(path),
    ".jsonl": lambda polars, path: polars.read_ndjson(path, infer_schema_length=None),
}


def read_table(path: Path, *, target: str, columns: Sequence[str] = ()) -> SourceRows:
    """Read a table; `columns` are the columns to keep (all if empty), `target` is the truth: if empty `y`, if there.

    Raises Invalid for a file that cannot be read, a column that it does not have, and empty cells; ExtraMissing without
    Polars.
    """
    polars = import_extra("polars")
    try:
        frame = READERS[path.suffix](polars, path)
    except Exception as error:
        # The errors of Polars have no common base class.
        text = f"{path.name} cannot be read as {path.suffix}: {str(error).splitlines()[0]}."
        raise Invalid(text, code="data_unreadable", field="data") from error
    missing = [name for name in (*columns, *([target] if target else [])) if name not in frame.columns]
    if missing:
        text = f"{path.name} has no column {', '.join(missing)}; it has {', '.join(frame.columns)}."
        raise Invalid(text, code="data_form", field="columns")
    target = target or TRUTH
    kept = [name for name in frame.columns if name != target and (name in columns or not columns)]
    for name in (*kept, *([target] if target in frame.columns else [])):
        if frame[name].null_count():
            row = int(frame[name].is_null().arg_max()) + 1
            text = f"{path.name}: the column {name} is empty in row {row}; fill it or leave the row out."
            raise Invalid(text, code="data_form", field="data")
    truth = frame[target].to_list() if target in frame.columns else None
    return SourceRows({name: frame[name].to_list() for name in kept}, truth, is_convertible=True)
