"""Requests by month as a CSV file: columns month, requests and, where wanted, source; every fault names its row."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime

from weighbridge.core.errors import Invalid

NEEDED = ("month", "requests")
KNOWN = (*NEEDED, "source")
ROWS_MAX = 120
DIGITS_MAX = 15


@dataclass(frozen=True, slots=True)
class Counted:
    """How many requests a month had; `row` is its line in a file, for the refusal."""

    month: date
    requests: int
    source: str = ""
    row: int | None = None


def read_traffic(content: bytes) -> tuple[Counted, ...]:
    """The rows of the file (UTF-8, with a header line). Raises Invalid, naming the row, for the first fault."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        if not set(NEEDED) <= set(header) <= set(KNOWN) or len(set(header)) < len(header):
            raise Invalid(f"The header must be {', '.join(NEEDED)} and, where wanted, source.", field="file")
        reader.fieldnames = header
        rows = tuple(_row(number, cells) for number, cells in enumerate(reader, start=2))
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text; save it as CSV in UTF-8.", field="file") from error
    except csv.Error as error:
        raise Invalid(f"The file is no CSV: {error}.", field="file") from error
    if not 1 <= len(rows) <= ROWS_MAX:
        raise Invalid(f"The file must have 1 to {ROWS_MAX} rows below its header; it has {len(rows):,}.", field="file")
    return rows


def month_of(text: str) -> date:
    """The first day of a month written 2026-09."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m").date()  # noqa: DTZ007 -- a month has no time zone
    except ValueError as error:
        raise Invalid(f"{text.strip()!r} is no month; write it like 2026-09.", field="month") from error


def _row(number: int, cells: dict[str, str | None]) -> Counted:
    if None in cells or None in cells.values():
        raise Invalid(f"Row {number} has more or fewer cells than the header.", field="file")
    said = {name: (value or "").strip() for name, value in cells.items()}
    try:
        month = month_of(said["month"])
    except Invalid as refusal:
        raise Invalid(f"Row {number}: {refusal.reason}", field="file") from refusal
    counted = said["requests"]
    if not counted.isascii() or not counted.isdigit() or len(counted) > DIGITS_MAX:
        raise Invalid(f"Row {number}: {counted!r} is no number of requests; write it like 1200000.", field="file")
    return Counted(month, int(counted), said.get("source", ""), number)
