"""Files for spreadsheets as tests make them: whole, in memory."""

import io
from collections.abc import Iterable, Sequence

from governance.exports.domain.spreadsheets import Cell, write_csv, write_xlsx


def csv_of(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    stream = io.BytesIO()
    write_csv(stream, header, rows)
    return stream.getvalue()


def xlsx_of(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str) -> bytes:
    stream = io.BytesIO()
    write_xlsx(stream, header, rows, title=title)
    return stream.getvalue()
