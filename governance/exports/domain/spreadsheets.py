"""Tables as CSV and XLSX without formula injection (ASVS 5, 1.2.10). Numbers, also negative ones, stay numbers.

A text that a spreadsheet might interpret, or that begins with an apostrophe, gets an apostrophe in front: removing it
always restores the original text.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import IO

from openpyxl import Workbook

Cell = str | int | Decimal | bool | date | None  # a datetime is a date
TRIGGERS = frozenset("=+-@\t\r\n\0|%＝＋－＠")  # noqa: RUF001 -- the wide forms are meant: some spreadsheets read them alike
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
TEXT_CHARS_MAX = 32_000  # a cell of a spreadsheet holds 32,767
BLANKS = " \u00a0\u3000"


def escaped(text: str) -> str:
    """The text for a cell: without invalid characters, truncated to the maximum cell length, and never a formula."""
    clean = UNWRITABLE.sub("\ufffd", text)[:TEXT_CHARS_MAX]
    first = clean.lstrip(BLANKS)[:1]
    return f"'{clean}" if first in TRIGGERS or clean.startswith("'") else clean


def write_csv(stream: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a CSV file (RFC 4180, UTF-8 with a byte order mark for spreadsheets), all cells in quotes, row by row."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([escaped(name) for name in header])
    writer.writerows([_cell_text(cell) for cell in row] for row in rows)
    text.detach()


def write_xlsx(stream: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str) -> None:
    """Write an XLSX file with one sheet, row by row; numbers are numeric cells, everything else is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.append([escaped(name) for name in header])
    for row in rows:
        sheet.append([_figure(cell) for cell in row])
    book.save(stream)


def _cell_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int():
            return str(cell)
        case Decimal():
            return format(cell, "f")
        case date():
            return cell.isoformat()
    return escaped(cell)


def _figure(cell: Cell) -> str | int | Decimal:
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        return cell
    return _cell_text(cell)
