"""Export of a list as a file."""

from django.http import HttpResponse

from governance.exports.domain.tables import MEDIA_TYPES, ExportTable, content_of


def export(table: ExportTable, *, kind: str) -> HttpResponse:
    """The table as a file to download, csv or xlsx."""
    headers = {
        "Content-Disposition": f'attachment; filename="{table.name}.{kind}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(content_of(table, kind=kind), content_type=MEDIA_TYPES[kind], headers=headers)
