"""A list as a file for a spreadsheet: CSV or XLSX, of what the reader may see and has filtered, and no more."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from governance.domain.refusals import NotFound, TooLarge
from governance.domain.spreadsheets import Cell, csv_of, xlsx_of

ROWS_MAX = 20_000
CSV, XLSX = "csv", "xlsx"
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export(*, kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], count: int) -> HttpResponse:
    """The file `name.kind`; NotFound for another kind, TooLarge beyond `ROWS_MAX` rows (`count` says how many there are)."""
    if kind not in MEDIA_TYPES:
        raise NotFound(f"There is no export as {kind!r}; ask for csv or xlsx.")
    if count > ROWS_MAX:
        raise TooLarge(
            f"{count:,} rows are more than the {ROWS_MAX:,} one file holds; narrow the list with its filters."
        )
    content = csv_of(header, rows) if kind == CSV else xlsx_of(header, rows, title=name)
    answer = HttpResponse(content, content_type=MEDIA_TYPES[kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
