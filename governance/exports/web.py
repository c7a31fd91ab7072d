"""A list as a file, of what the reader may see and has filtered, and no more."""

from django.http import HttpResponse

from governance.exports.domain.tables import ExportTable, file_of


def export(table: ExportTable, *, kind: str) -> HttpResponse:
    """The table as `kind`, csv or xlsx."""
    file = file_of(table, kind=kind)
    return HttpResponse(file.content, headers=file.headers)
