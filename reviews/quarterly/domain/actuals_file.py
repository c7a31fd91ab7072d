"""Read actuals from a CSV file with the columns model, kpi, value and optionally source."""

import csv
import io
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from weighbridge.core.errors import Invalid

REQUIRED = ("model", "kpi", "value")
COLUMNS = (*REQUIRED, "source")
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
    """The rows of the file (UTF-8, with a header line). Raises Invalid with the row number for the first error."""
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
        raise Invalid(f"The file is not valid CSV: {error}.", field="file") from error
    if not rows:
        raise Invalid("The file has a header but no rows; write one row for each value.", field="file")
    if len(rows) > ROWS_MAX:
        raise Invalid(f"The file has {len(rows):,} rows; the maximum is {ROWS_MAX:,}. Split it.", field="file")
    return rows


def _check_header(header: tuple[str, ...]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise Invalid(f"The file lacks the column {missing[0]}; required are {', '.join(REQUIRED)}.", field="file")
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise Invalid(f"The column {unknown[0]!r} is unknown; the columns are {', '.join(COLUMNS)}.", field="file")
    if len(set(header)) < len(header):
        raise Invalid("A column appears twice in the header.", field="file")


def _row(number: int, cells: dict[str, str | None]) -> ActualRow:
    if None in cells or None in cells.values():
        raise Invalid(f"Row {number} has more or fewer cells than the header.", field="file")
    texts = {name: (value or "").strip() for name, value in cells.items()}
    for name in ("model", "kpi"):
        if not texts[name]:
            raise Invalid(f"Row {number}: the column {name} is empty.", field="file")
    try:
        value = Decimal(texts["value"].removeprefix("'"))
    except InvalidOperation as error:
        raise Invalid(f"Row {number}: {texts['value']!r} is not a number; write it like 3.2.", field="file") from error
    if not value.is_finite():
        raise Invalid(f"Row {number}: the value must be a finite number.", field="file")
    return ActualRow(number, texts["model"], texts["kpi"], value, texts.get("source", ""))
