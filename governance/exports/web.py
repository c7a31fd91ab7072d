"""Export of a list as a file."""

from django.http import HttpResponse

from governance.exports.domain.tables import ExportTable, file_of


def export(table: ExportTable, *, kind: str) -> HttpResponse:
    """The table as `kind`, csv or xlsx."""
    file = file_of(table, kind=kind)
    return HttpResponse(file.content, headers=file.headers)
