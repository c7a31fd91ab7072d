"""A list as a file for a spreadsheet: CSV or XLSX, the same from a page and from the API, in constant memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

from governance.exports.domain.spreadsheets import Cell, write_csv, write_xlsx
from weighbridge.core.errors import NotFound, TooLarge

XLSX_ROWS_MAX = 200_000
CSV, XLSX = "csv", "xlsx"
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class ExportTable:
    """Rows with a header; `count` is the number of rows, known before they are read.

    Rows may be an iterator that reads while the file is written.
    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    count: int


def check_export(table: ExportTable, *, kind: str) -> None:
    """Raise NotFound unless the kind is csv or xlsx, TooLarge for a spreadsheet above `XLSX_ROWS_MAX` rows."""
    if kind not in MEDIA_TYPES:
        raise NotFound(f"There is no export as {kind!r}. Use csv or xlsx.")
    if kind == XLSX and table.count > XLSX_ROWS_MAX:
        too_many = f"{table.count:,} rows are more than the {XLSX_ROWS_MAX:,} allowed in one spreadsheet."
        raise TooLarge(f"{too_many} Use CSV, or reduce the list with its filters.")


def write_table(table: ExportTable, stream: IO[bytes], *, kind: str) -> None:
    """Write the table as a file of this kind, row by row."""
    if kind == CSV:
        write_csv(stream, table.header, table.rows)
    else:
        write_xlsx(stream, table.header, table.rows, title=table.name)
