"""Read requests by month from a CSV file with the columns month, requests and (optional) source."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime

from weighbridge.core.errors import Invalid

REQUIRED_COLUMNS = ("month", "requests")
COLUMNS = (*REQUIRED_COLUMNS, "source")
ROWS_MAX = 120
DIGITS_MAX = 15


@dataclass(frozen=True, slots=True)
class MonthTraffic:
    """The number of requests in a month; `row` is the line in the file, for error messages."""

    month: date
    requests: int
    source: str = ""
    row: int | None = None


def read_traffic(content: bytes) -> tuple[MonthTraffic, ...]:
    """The rows of the file (UTF-8, with a header line). Raises Invalid for the first error and names its row."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        if not set(REQUIRED_COLUMNS) <= set(header) <= set(COLUMNS) or len(set(header)) < len(header):
            raise Invalid(f"The header must be {', '.join(REQUIRED_COLUMNS)} and (optional) source.", field="file")
        reader.fieldnames = header
        rows = tuple(_row(number, cells) for number, cells in enumerate(reader, start=2))
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text; save it as CSV in UTF-8.", field="file") from error
    except csv.Error as error:
        raise Invalid(f"The file is not a CSV file: {error}.", field="file") from error
    if not 1 <= len(rows) <= ROWS_MAX:
        raise Invalid(f"The file must have 1 to {ROWS_MAX} rows below its header; it has {len(rows):,}.", field="file")
    return rows


def month_of(text: str) -> date:
    """The first day of a month given like 2026-09."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m").date()  # noqa: DTZ007 -- a month has no time zone
    except ValueError as error:
        raise Invalid(f"{text.strip()!r} is not a month; write it like 2026-09.", field="month") from error


def _row(number: int, cells: dict[str, str | None]) -> MonthTraffic:
    if None in cells or None in cells.values():
        raise Invalid(f"Row {number} has more or fewer cells than the header.", field="file")
    values = {name: (value or "").strip() for name, value in cells.items()}
    try:
        month = month_of(values["month"])
    except Invalid as refusal:
        raise Invalid(f"Row {number}: {refusal.reason}", field="file") from refusal
    requests = values["requests"]
    if not requests.isascii() or not requests.isdigit() or len(requests) > DIGITS_MAX:
        raise Invalid(f"Row {number}: {requests!r} is not a number of requests; write it like 1200000.", field="file")
    return MonthTraffic(month, int(requests), values.get("source", ""), number)
