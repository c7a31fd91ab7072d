"""Review requests in a CSV file: one row a request, one column a field.

The columns are those of the request file: `title`, `purpose`, `environment`, `business_case`, `rivals` (separated by
spaces), the fields of the model (`team`, `slug`, `name`, `version`, `tier`, `task`, `owner`, and one of `file`, `uri`
with `sha256`, and `manifest`), and `dataset_name`, `dataset_license` and `dataset_file`. Each other column is a metric;
`NAME_basis` and `NAME_source` beside it say where its values come from. An empty cell says nothing.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from weighbridge.client.request_file import DATASET_TEXTS, MODEL_TEXTS, TEXTS
from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import read_bytes
from weighbridge.core.parsing.limits import DOCUMENT

ROWS_MAX, COLUMNS_MAX = 5_000, 300
MODEL_COLUMNS = (*MODEL_TEXTS, "file", "uri", "sha256", "manifest")
DATASET_COLUMNS = {f"dataset_{name}": name for name in (*DATASET_TEXTS, "file")}
METRIC = re.compile(r"[a-z][a-z0-9_]{0,58}(@[0-9.]{1,12})?")
PARTS = ("basis", "source")


def read_sheet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the line number and the document of each row; raise Invalid for what is no such CSV file."""
    rows = _rows(path)
    if not rows:
        raise Invalid(f"{path.name} is empty; its first line names the columns.", field="file")
    (_, columns), *lines = rows
    _check_columns(columns, path.name)
    for number, cells in lines:
        if len(cells) > len(columns):
            raise Invalid(f"Line {number} of {path.name} has more cells than columns.", field="file")
        yield (
            number,
            _document({name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}),
        )


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, each with the number of its last line in the file."""
    try:
        text = read_bytes(path, field="file", limits=DOCUMENT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name} is not UTF-8 text; save the table as CSV in UTF-8.", field="file") from error
    if not is_storable(text):
        raise Invalid(f"{path.name} contains a character that cannot be stored.", field="file")
    table = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        rows = [(table.line_num, cells) for cells in table if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise Invalid(f"Line {table.line_num} of {path.name} is not valid CSV: {error}.", field="file") from error
    if len(rows) > ROWS_MAX + 1:
        raise Invalid(f"{path.name} has more than {ROWS_MAX:,} rows; split it.", field="file")
    return rows


def _check_columns(columns: list[str], name: str) -> None:
    stripped = [column.strip() for column in columns]
    columns[:] = stripped
    if len(columns) > COLUMNS_MAX:
        raise Invalid(f"{name} has more than {COLUMNS_MAX} columns.", field="file")
    for place, column in enumerate(stripped):
        if column in stripped[:place]:
            raise Invalid(f"{name} has the column {column!r} twice.", field=column)
        if column not in _fields() and not METRIC.fullmatch(column):
            known = ", ".join(_fields())
            text = f"{name} has a column {column[:80]!r}, which is neither a metric nor one of: {known}."
            raise Invalid(text, field=column[:80])
    for column in stripped:
        base, _, part = column.rpartition("_")
        if part in PARTS and column not in _fields() and base not in stripped:
            raise Invalid(f"{name} has the column {column!r} without the column {base!r}.", field=column)


def _fields() -> tuple[str, ...]:
    return (*TEXTS, "rivals", *MODEL_COLUMNS, *DATASET_COLUMNS)


def _document(cells: Mapping[str, str]) -> dict[str, Any]:
    """The document of a request file from the cells that are not empty."""
    dataset = {key: cells[column] for column, key in DATASET_COLUMNS.items() if column in cells}
    return {
        **{name: cells[name] for name in TEXTS if name in cells},
        "model": {name: cells[name] for name in MODEL_COLUMNS if name in cells},
        "metric_values": [_metric_value(name, cells) for name in cells if _is_metric(name)],
        **({"rivals": cells["rivals"].split()} if "rivals" in cells else {}),
        **({"dataset": dataset} if dataset else {}),
    }


def _is_metric(column: str) -> bool:
    return column not in _fields() and column.rpartition("_")[2] not in PARTS


def _metric_value(name: str, cells: Mapping[str, str]) -> dict[str, str]:
    basis, source = (cells.get(f"{name}_{part}", "") for part in PARTS)
    return {"name": name, "value": cells[name], "basis": basis or "declared", **({"source": source} if source else {})}
