"""A list as a file for a spreadsheet: CSV or XLSX, the same from a page and from the API."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.exports.domain.spreadsheets import Cell, csv_of, xlsx_of
from weighbridge.core.errors import NotFound, TooLarge

ROWS_MAX = 20_000
CSV, XLSX = "csv", "xlsx"
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class ExportTable:
    """Rows with a header; `count` is the number of rows, known before they are read."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    count: int


def content_of(table: ExportTable, *, kind: str) -> bytes:
    """The table as a file. Raises NotFound unless the kind is csv or xlsx, TooLarge above `ROWS_MAX` rows."""
    if kind not in MEDIA_TYPES:
        raise NotFound(f"There is no export as {kind!r}. Use csv or xlsx.")
    if table.count > ROWS_MAX:
        too_many = f"{table.count:,} rows are more than the {ROWS_MAX:,} allowed in one file."
        raise TooLarge(f"{too_many} Reduce the list with its filters.")
    if kind == CSV:
        return csv_of(table.header, table.rows)
    return xlsx_of(table.header, table.rows, title=table.name)
