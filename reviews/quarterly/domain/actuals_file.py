"""Actuals as a CSV file: columns model, kpi, value and, where wanted, source; every fault names its row."""

import csv
import io
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from weighbridge.core.errors import Invalid

NEEDED = ("model", "kpi", "value")
KNOWN = (*NEEDED, "source")
ROWS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class ActualRow:
    """One line of the file; `model` is written "team/model"."""

    row: int
    model: str
    kpi: str
    value: Decimal
    source: str


def read_actuals(content: bytes) -> tuple[ActualRow, ...]:
    """The rows of the file (UTF-8, with a header line). Raises Invalid, naming the row, for the first fault."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text; save it as CSV in UTF-8.", field="file") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(name.strip().lower() for name in reader.fieldnames or ())
        _check_header(header)
        reader.fieldnames = list(header)
        rows = tuple(_row(number, cells) for number, cells in enumerate(reader, start=2))
    except csv.Error as error:
        raise Invalid(f"The file is no CSV: {error}.", field="file") from error
    if not rows:
        raise Invalid("The file has a header and no row; write one row for each value.", field="file")
    if len(rows) > ROWS_MAX:
        raise Invalid(f"The file has {len(rows):,} rows and {ROWS_MAX:,} are taken at a time; split it.", field="file")
    return rows


def _check_header(header: tuple[str, ...]) -> None:
    lacking = [name for name in NEEDED if name not in header]
    if lacking:
        raise Invalid(f"The file lacks the column {lacking[0]}; it needs {', '.join(NEEDED)}.", field="file")
    unknown = [name for name in header if name not in KNOWN]
    if unknown:
        raise Invalid(f"The column {unknown[0]!r} is not known here; known are {', '.join(KNOWN)}.", field="file")
    if len(set(header)) < len(header):
        raise Invalid("A column stands twice in the header.", field="file")


def _row(number: int, cells: dict[str, str | None]) -> ActualRow:
    if None in cells or None in cells.values():
        raise Invalid(f"Row {number} has more or fewer cells than the header.", field="file")
    said = {name: (value or "").strip() for name, value in cells.items()}
    for name in ("model", "kpi"):
        if not said[name]:
            raise Invalid(f"Row {number}: the column {name} is empty.", field="file")
    try:
        value = Decimal(said["value"].removeprefix("'"))
    except InvalidOperation as error:
        raise Invalid(f"Row {number}: {said['value']!r} is no number; write it like 3.2.", field="file") from error
    if not value.is_finite():
        raise Invalid(f"Row {number}: the value must be a finite number.", field="file")
    return ActualRow(number, said["model"], said["kpi"], value, said.get("source", ""))
